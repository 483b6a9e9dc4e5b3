// The screens that a browser does not have: the service's address, the passphrase, what to do when the key is lost.

import { Trouble } from './backend.js';
import { at, say, show } from './dom.js';
import { ask } from './rust.js';
import { spoken, text } from './texts.js';

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (at(id));
}

/**
 * A text that is chosen late, and still follows the language.
 * @param {string} id
 * @param {import('./texts.js').Key} key
 */
export function word(id, key) {
  at(id).dataset.text = key;
  at(id).textContent = text(key);
}

/**
 * What is done when a form is sent; why it was not done stands in the form.
 * @param {string} name
 * @param {() => Promise<void>} work
 */
function sent(name, work) {
  const wrong = at(`${name}-wrong`);
  let busy = false;
  at(`${name}-form`).addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    wrong.hidden = true;
    try {
      await work();
    } catch (error) {
      const known = error instanceof Trouble;
      wrong.textContent = known ? text(error.key, error.values) : text('desktop-trouble-other');
      wrong.hidden = false;
    } finally {
      busy = false;
    }
  });
}

/** @param {() => void} again */
export function prepare(again) {
  addTo('failed', 'other-address');
  at('lock-offer').before(at('starts-offer'));
  at('starts-offer').hidden = false;

  at('other-address').addEventListener('click', openAddress);
  sent('address', async () => {
    await ask('set_service', { address: field('address-field').value.trim() });
    again();
  });
  sent('choose', async () => {
    const [first, second] = [field('choose-field'), field('choose-again')];
    if (first.value !== second.value) throw new Trouble('desktop-trouble-passphrases-differ');
    await ask('choose', { passphrase: first.value });
    first.value = second.value = '';
    again();
  });
  sent('passphrase', async () => {
    const typed = field('passphrase-field');
    try {
      await ask('unlock', { passphrase: typed.value });
    } finally {
      typed.value = '';
      typed.focus();
    }
    again();
  });
  at('forgotten').addEventListener('click', () => {
    word('over-why', 'desktop-over-forgotten');
    at('over-id').textContent = at('passphrase-id').textContent;
    at('over-back').hidden = false;
    show('over');
  });
  at('over-back').addEventListener('click', again);
  sent('over', async () => {
    if (!field('over-sure').checked) throw new Trouble('remove-first');
    await ask('remove');
    field('over-sure').checked = false;
    again();
  });
  at('starts').addEventListener('change', starts);
  // The guide is the service's page, for the system's browser; Rust knows the address.
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a.guide') : null;
    if (!link) return;
    event.preventDefault();
    ask('guide', { language: spoken() }).catch(() => say(text('desktop-no-browser')));
  });
}

/**
 * @param {string} screen
 * @param {string} button
 */
function addTo(screen, button) {
  at(screen).querySelector('.buttons')?.append(at(button));
  at(button).hidden = false;
}

async function openAddress() {
  field('address-field').value = await ask('service');
  show('address');
}

async function starts() {
  const box = field('starts');
  try {
    await ask('set_starts', { starts: box.checked });
    say(text(box.checked ? 'desktop-starts-yes' : 'desktop-starts-no'));
  } catch {
    box.checked = !box.checked;
    say(text('desktop-trouble-other'));
  }
}
