// The token whose keys lie in Rust, not in the page: the other keeper beside apps/web-token/backend.js. It gets IDs, codes
// and the state of the clock; the secret never comes here (rule T5).

import { at } from './dom.js';
import { ask } from './rust.js';
import { prepare, word } from './screens.js';
import { EN } from './desktop_en.js';
import { JA } from './desktop_ja.js';
import { add, spoken, text } from './texts.js';

/** @typedef {import('./backend.js').Token} Token */
/** @typedef {import('./backend.js').Backend} Backend */

/** @implements {Backend} */
export class DesktopBackend {
  /** @type {Token | undefined} */
  #token;

  /** @param {() => void} again begins anew, after a screen of ours was answered */
  constructor(again) {
    add(JA, EN);
    prepare(again);
    // The tray icon speaks the page's language.
    const language = new MutationObserver(() => ask('speak', { language: spoken() }));
    language.observe(document.documentElement, { attributeFilter: ['lang'] });
  }

  /** @returns {Promise<import('./backend.js').Found>} */
  async find() {
    const found = await ask('find');
    switch (found.kind) {
      case 'token':
        return { kind: 'token', token: this.#keep(found.token) };
      case 'locked':
        at('passphrase-id').textContent = found.grouped;
        return { kind: 'screen', screen: 'passphrase' };
      case 'lost':
        word('over-why', `desktop-over-${found.why}`);
        at('over-id').textContent = found.grouped || '–';
        at('over-back').hidden = true;
        return { kind: 'screen', screen: 'over' };
      case 'passphrase':
        return { kind: 'screen', screen: 'choose' };
      case 'address':
        return { kind: 'screen', screen: 'address' };
      default:
        return { kind: 'none' };
    }
  }

  async register() {
    return this.#keep(await ask('register'));
  }

  async welcome() {
    return this.#keep(await ask('welcome'));
  }

  /** Rust looks at its own clock: a page that could name the hour could collect the codes of tomorrow. */
  codes() {
    return ask('codes');
  }

  async learn() {
    return this.#keep(await ask('learn'));
  }

  stay() {}

  /** @param {'id' | 'code'} what */
  async copy(what) {
    await ask('copy', { what });
  }

  /** @returns {Promise<[import('./texts.js').Key, string][]>} */
  async health() {
    const { keys, store, service, starts } = await ask('health');
    /** @type {HTMLInputElement} */ (at('starts')).checked = starts;
    return [
      ['health-keys', text(`desktop-keys-${keys}`, { store })],
      ['desktop-service', service],
    ];
  }

  async remove() {
    await ask('remove');
    this.#token = undefined;
  }

  /** The lock of a browser is not needed where the system's key store or a passphrase keeps the key. */
  async lockOffered() {
    return false;
  }

  /** @returns {Promise<Token>} */
  async addLock() {
    throw new Error('no such lock');
  }

  /** @returns {Promise<Token>} */
  async removeLock() {
    throw new Error('no such lock');
  }

  /** @returns {Promise<Token>} */
  async unlock() {
    throw new Error('no such lock');
  }

  lockAgain() {
    if (!this.#token) throw new Error('there is no token');
    return this.#token;
  }

  /** @param {Token} token */
  #keep(token) {
    this.#token = token;
    return token;
  }
}
