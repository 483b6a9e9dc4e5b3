// The token's face: the code, the next one in the last ten seconds, and how long is left (rules T2, T3 and T6).

import { corrected, isOff, wasSetBack } from './clock.js';
import { at, grouped, oneByOne, pressed, say } from './dom.js';
import { choices } from './store.js';
import { text } from './texts.js';
import { PERIOD, secondsLeft, stepAt } from './totp.js';

/** From how many seconds on the next code is shown. */
const SOON = 10;

/** A device clock that went this many milliseconds otherwise than time did was set, or the device slept. */
const JUMP = 2_000;

const PLACES = { id: [4, 8], code: [3] };

export class Face {
  /** @type {import('./totp.js').Codes | undefined} */
  #codes;
  #hidden = choices.get('hidden') === 'yes';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #next;
  #running = false;
  /** The device's clock less the time since the page began. */
  #began = Date.now() - performance.now();

  /**
   * @param {import('./backend.js').Backend} backend
   * @param {() => import('./backend.js').Token} token
   * @param {() => void} jumped the device's clock was set: whoever follows our advice must not get wrong codes for it
   */
  constructor(backend, token, jumped) {
    this.backend = backend;
    this.token = token;
    this.jumped = jumped;
    pressed('copy-code', () => this.#copy('code', this.#codes?.code));
    pressed('copy-id', () => this.#copy('id', this.token().id));
    pressed('hide', () => this.#hide());
    pressed('code', () => this.#hide());
    pressed('speak', () => this.#speak());
  }

  start() {
    this.#running = true;
    this.#codes = undefined;
    grouped(at('id'), this.token().id, PLACES.id);
    return this.tick();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#next);
    this.#codes = undefined;
    at('code').replaceChildren();
    at('next-code').replaceChildren();
  }

  /** Shows what holds now, and comes back when the seconds change. */
  async tick() {
    clearTimeout(this.#next);
    if (!this.#running) return;
    const deviceNow = Date.now();
    const began = deviceNow - performance.now();
    if (Math.abs(began - this.#began) > JUMP) this.jumped();
    this.#began = began;
    const now = corrected(this.token().contact, deviceNow);
    if (now >= 0 && this.#codes?.step !== stepAt(now)) {
      this.#codes = await this.backend.codes(deviceNow);
      if (!this.#running) return;
      this.#writeCodes();
    }
    this.#writeTime(now);
    this.#writeClock(deviceNow, now);
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.tick(), 1000 - (((now % 1000) + 1000) % 1000) + 5);
  }

  /** After a change of the language or the clock. */
  async write() {
    if (!this.#running) return;
    if (this.#codes) this.#writeCodes();
    await this.tick();
  }

  #writeCodes() {
    const codes = this.#codes;
    if (!codes) return;
    const code = at('code');
    if (this.#hidden) {
      code.textContent = '•••\u2009•••';
      code.setAttribute('aria-label', text('hidden'));
      code.setAttribute('role', 'img');
      at('next-code').textContent = '•••\u2009•••';
    } else {
      code.removeAttribute('aria-label');
      code.removeAttribute('role');
      grouped(code, codes.code, PLACES.code);
      grouped(at('next-code'), codes.next, PLACES.code);
    }
    code.dataset.step = String(codes.step);
    const hide = at('hide');
    hide.textContent = text(this.#hidden ? 'reveal' : 'hide');
    hide.setAttribute('aria-pressed', String(this.#hidden));
  }

  /** @param {number} now */
  #writeTime(now) {
    const seconds = now < 0 ? 0 : secondsLeft(now);
    const left = at('seconds');
    left.textContent = text('seconds', { seconds });
    left.classList.toggle('soon-over', seconds <= SOON);
    const ring = at('ring');
    ring.classList.toggle('full', seconds === PERIOD);
    ring.style.strokeDashoffset = String(PERIOD - seconds);
    at('next').classList.toggle('soon', seconds <= SOON && seconds > 0);
  }

  /**
   * @param {number} deviceNow
   * @param {number} now
   */
  #writeClock(deviceNow, now) {
    const { contact } = this.token();
    const warning = at('clock');
    const seconds = Math.round(Math.abs(contact.offset) / 1000);
    let said = '';
    if (now < 0) said = text('clock-before-1970');
    else if (wasSetBack(contact, deviceNow)) said = text('clock-set-back');
    else if (isOff(contact)) said = text(contact.offset > 0 ? 'clock-slow' : 'clock-fast', { seconds });
    if (warning.textContent !== said) warning.textContent = said;
    warning.hidden = said === '';
  }

  /**
   * @param {'code' | 'id'} what
   * @param {string | undefined} shown
   */
  async #copy(what, shown) {
    if (!shown) return;
    try {
      await this.backend.copy(what, shown, () => say(text('wiped')));
    } catch {
      say(text('not-copied'));
      return;
    }
    say(text(what === 'id' ? 'copied-id' : 'copied-code', { code: this.#hidden ? '' : oneByOne(shown) }));
  }

  #hide() {
    this.#hidden = !this.#hidden;
    choices.set('hidden', this.#hidden ? 'yes' : 'no');
    this.#writeCodes();
  }

  #speak() {
    if (!this.#codes) return;
    const seconds = secondsLeft(corrected(this.token().contact, Date.now()));
    const code = this.#hidden ? text('hidden') : oneByOne(this.#codes.code);
    say(text('spoken', { code, seconds }));
  }
}
