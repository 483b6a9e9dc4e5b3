// The texts of the page in the customer's language.

import { EN } from './texts_en.js';
import { JA } from './texts_ja.js';
import { choices } from './store.js';

/** @typedef {keyof typeof JA | `desktop-${string}`} Key */

/** @type {Record<'ja' | 'en', Record<Key, string>>} */
const TEXTS = { ja: JA, en: EN };

/**
 * Adds the texts of the desktop program, and its words for what is otherwise there.
 * @param {Record<string, string>} ja
 * @param {Record<string, string>} en
 */
export function add(ja, en) {
  Object.assign(TEXTS.ja, ja);
  Object.assign(TEXTS.en, en);
}

/** @type {'ja' | 'en'} */
let language = preferred();

function preferred() {
  const wanted = [choices.get('language') ?? '', ...navigator.languages];
  const known = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'ja' || tag === 'en');
  return known === 'ja' ? 'ja' : 'en';
}

export function spoken() {
  return language;
}

/**
 * @param {Key} key
 * @param {Record<string, string | number>} values what stands in braces
 */
export function text(key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Writes every text that index.html names. */
export function write() {
  document.documentElement.lang = language;
  document.title = text('title');
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = text(/** @type {Key} */ (element.getAttribute('data-text')));
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    const key = /** @type {Key} */ (element.getAttribute('data-label'));
    element.setAttribute('aria-label', text(key));
  }
  for (const link of document.querySelectorAll('a.guide')) {
    link.setAttribute('href', `/guide?lang=${language}`);
  }
  const other = document.getElementById('language');
  if (other) {
    other.textContent = language === 'ja' ? 'English' : '日本語';
    other.lang = language === 'ja' ? 'en' : 'ja';
  }
}

export function change() {
  language = language === 'ja' ? 'en' : 'ja';
  choices.set('language', language);
  write();
}

/**
 * A moment in words.
 * @param {number} time milliseconds since 1970
 */
export function moment(time) {
  const form = /** @type {const} */ ({ dateStyle: 'medium', timeStyle: 'short' });
  return new Intl.DateTimeFormat(language, form).format(time);
}

/**
 * A wait in words, rounded up.
 * @param {number} seconds
 */
export function wait(seconds) {
  const minutes = Math.ceil(seconds / 60);
  return seconds <= 90 ? text('wait-seconds', { seconds }) : text('wait-minutes', { minutes });
}
