// Which screen is shown, and what its buttons do (rules T1, T2 and T8).

import { Gone, Trouble, Void, WebBackend } from './backend.js';
import { isOff } from './clock.js';
import { at, grouped, pressed, say, show, shown } from './dom.js';
import { WeakServiceKey } from './exchange.js';
import { Face } from './face.js';
import { NoPrf } from './lock.js';
import { ServiceError } from './service.js';
import { change, moment, spoken, text, wait, write } from './texts.js';

/** How often the service's clock is asked for while the page is open, and not more often than, in milliseconds. */
const CONTACT_EVERY = 300_000;
const CONTACT_PAUSE = 5_000;

/** A page that was out of sight for longer than this is locked again, when there is a lock. */
const LOCK_AFTER = 60_000;

const backend = await keeper();
/** @type {import('./backend.js').Token | undefined} */
let token;
const face = new Face(
  backend,
  () => /** @type {import('./backend.js').Token} */ (token),
  () => contact(),
);
/** @type {'asking' | 'online' | 'offline'} */
let link = 'asking';
let asked = -CONTACT_PAUSE;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
let leftAt = 0;
/** @type {unknown} */
let failure;
/** @type {BeforeInstallPromptEvent | undefined} */
let installer;

const grouping = (/** @type {string} */ id) => id.replace(/^(.{4})(.{4})/, '$1 $2 ');

/**
 * Who keeps the keys: the browser, or the desktop program around this page. Its file is in that program alone.
 * @returns {Promise<import('./backend.js').Backend>}
 */
async function keeper() {
  if (!globalThis.__TAURI__) return new WebBackend();
  const { DesktopBackend } = await import('./desktop.js');
  return new DesktopBackend(() => begin());
}

/** An iPhone or iPad, whose tabs lose what they stored. */
function tabForgets() {
  const apple = /iPhone|iPad|iPod/.test(navigator.userAgent);
  const tablet = navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1;
  const { standalone } = /** @type {{ standalone?: boolean }} */ (/** @type {unknown} */ (navigator));
  const installed = standalone === true || matchMedia('(display-mode: standalone)').matches;
  return (apple || tablet) && !installed;
}

async function begin() {
  let found;
  try {
    found = await backend.find();
  } catch (error) {
    return fail(error);
  }
  if (found.kind === 'token') return enter(found.token);
  if (found.kind === 'screen') return show(found.screen);
  if (found.kind === 'lost') {
    at('lost-id').textContent = grouping(found.id);
    return show('lost');
  }
  if (tabForgets()) return show('home-screen');
  return register();
}

async function register() {
  show('starting');
  try {
    await enter(await backend.register(spoken()));
  } catch (error) {
    fail(error);
  }
}

/** @param {unknown} error */
function fail(error) {
  failure = error;
  at('failed-why').textContent = reason(error);
  show('failed');
}

/** @param {unknown} error */
function reason(error) {
  if (error instanceof Trouble) return text(error.key, error.values);
  if (error instanceof WeakServiceKey) return text('trouble-weak');
  if (error instanceof Void) return text('trouble-void', { id: grouping(error.id) });
  if (error instanceof ServiceError) {
    const { said, seconds } = error;
    return text(`trouble-${error.trouble}`, { said, wait: wait(seconds || 60) });
  }
  return text('trouble-storage');
}

/** @param {import('./backend.js').Token} found */
async function enter(found) {
  token = found;
  failure = undefined;
  backend.stay();
  if (!token.welcomed) {
    grouped(at('welcome-id'), token.id, [4, 8]);
    return show('welcome');
  }
  await route();
}

/** The screen that the address names, for a token that is there. */
async function route() {
  if (!token?.welcomed) return;
  if (token.locked) {
    face.stop();
    at('locked-id').textContent = grouping(token.id);
    return show('locked');
  }
  const wanted = location.hash.slice(1);
  if (wanted === 'health') {
    show('health');
    return health();
  }
  if (wanted === 'remove') {
    at('remove-id').textContent = grouping(token.id);
    at('remove-first').hidden = true;
    return show('remove');
  }
  await face.start();
  show('token');
  writeLink();
  if (link === 'asking') contact();
}

/** Learns the service's time, when there is a network. Whoever asks too soon is served after the pause. */
async function contact() {
  clearTimeout(waiting);
  if (!token) return;
  const now = performance.now();
  const pause = asked + CONTACT_PAUSE - now;
  if (pause > 0) {
    waiting = setTimeout(() => contact(), pause);
    return;
  }
  asked = now;
  try {
    token = await backend.learn(spoken());
    link = 'online';
  } catch (error) {
    if (error instanceof Gone) return gone();
    link = 'offline';
  }
  writeLink();
  await face.write();
}

function writeLink() {
  at('link').textContent = text(`link-${link}`);
}

/** Another tab has removed or replaced the token. */
async function gone() {
  face.stop();
  token = undefined;
  say(text('gone'));
  const found = await backend.find();
  if (found.kind === 'token') return enter(found.token);
  show('removed');
}

async function health() {
  if (!token) return;
  const { contact: known, hasLock, registeredAt } = token;
  const seconds = Math.round(Math.abs(known.offset) / 1000);
  const off = known.offset > 0 ? 'clock-slow-short' : 'clock-fast-short';
  /** @type {[import('./texts.js').Key, string][]} */
  const lines = [
    ['token-id', grouping(token.id)],
    ...(await backend.health()),
    ['health-clock', text(isOff(known) ? off : 'clock-right', { seconds })],
    ['health-contact', moment(known.at)],
    ['health-registered', moment(registeredAt)],
    ['health-version', version()],
  ];
  at('health-list').replaceChildren(...lines.map(([key, value]) => line(text(key), value)));
  at('lock-offer').hidden = !hasLock && !(await backend.lockOffered());
  at('lock-add').hidden = hasLock;
  at('lock-remove').hidden = !hasLock;
}

/**
 * @param {string} name
 * @param {string} value
 */
function line(name, value) {
  const group = document.createElement('div');
  const term = document.createElement('dt');
  const description = document.createElement('dd');
  term.textContent = name;
  description.textContent = value;
  group.append(term, description);
  return group;
}

function version() {
  return document.querySelector('meta[name="warifu-version"]')?.getAttribute('content') ?? '';
}

/** @param {() => Promise<import('./backend.js').Token>} work */
async function withAuthenticator(work, /** @type {import('./texts.js').Key} */ done) {
  try {
    token = await work();
    say(text(done));
  } catch (error) {
    say(text(error instanceof NoPrf ? 'no-prf' : 'not-unlocked'));
  }
  await health();
}

pressed('ok', async () => {
  token = await backend.welcome();
  await route();
});
pressed('again', () => begin());
pressed('lost-new', () => (tabForgets() ? show('home-screen') : register()));
pressed('removed-new', () => begin());
pressed('unlock', async () => {
  try {
    token = await backend.unlock();
  } catch {
    return say(text('not-unlocked'));
  }
  return route();
});
pressed('lock-add', () => withAuthenticator(() => backend.addLock(), 'lock-added'));
pressed('lock-remove', () => withAuthenticator(() => backend.removeLock(), 'lock-removed'));
pressed('remove-now', async () => {
  const sure = /** @type {HTMLInputElement} */ (at('remove-sure'));
  at('remove-first').hidden = sure.checked;
  if (!sure.checked) return sure.focus();
  await backend.remove();
  sure.checked = false;
  token = undefined;
  face.stop();
  history.replaceState(null, '', './');
  show('removed');
});
pressed('language', async () => {
  change();
  if (failure !== undefined) at('failed-why').textContent = reason(failure);
  writeLink();
  if (shown('health')) await health();
  await face.write();
});
pressed('install', async () => {
  await installer?.prompt();
  installer = undefined;
  at('install').hidden = true;
});

addEventListener('hashchange', () => route());
addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  installer = /** @type {BeforeInstallPromptEvent} */ (event);
  at('install').hidden = false;
});
addEventListener('appinstalled', () => {
  at('install').hidden = true;
  say(text('installed'));
});
addEventListener('online', () => {
  if (shown('failed') && failure instanceof ServiceError && failure.trouble === 'away') begin();
  else contact();
});
document.addEventListener('visibilitychange', async () => {
  if (document.hidden) {
    leftAt = performance.now();
    return;
  }
  if (token?.hasLock && performance.now() - leftAt > LOCK_AFTER) {
    token = backend.lockAgain();
    return route();
  }
  await face.tick();
  await contact();
});
setInterval(() => contact(), CONTACT_EVERY);

write();
begin();
