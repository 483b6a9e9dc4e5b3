// What the screens need of a token, whoever keeps its keys. Here the browser does; in the desktop program Rust does
// (apps/desktop/page/desktop.js).

import * as clipboard from './clipboard.js';
import { corrected } from './clock.js';
import { derive, generate, publicBytes, supported } from './exchange.js';
import * as lock from './lock.js';
import * as service from './service.js';
import * as store from './store.js';
import { text } from './texts.js';
import { codesAt } from './totp.js';

/**
 * @typedef {object} Token
 * @property {string} id
 * @property {boolean} welcomed whether the customer pressed OK on the welcome screen
 * @property {boolean} locked whether the codes wait for the authenticator
 * @property {boolean} hasLock
 * @property {number} registeredAt
 * @property {import('./clock.js').Contact} contact
 */

/**
 * What was found at a start. `screen`: the keeper has something to say or to ask first.
 * @typedef {{ kind: 'none' } | { kind: 'screen', screen: string } | { kind: 'lost', id: string }
 *   | { kind: 'token', token: Token }} Found
 */

/**
 * @typedef {object} Backend
 * @property {() => Promise<Found>} find
 * @property {(language: string) => Promise<Token>} register
 * @property {() => Promise<Token>} welcome the customer has seen the welcome screen
 * @property {(deviceNow: number) => Promise<import('./totp.js').Codes>} codes
 * @property {(language: string) => Promise<Token>} learn asks the service for its time
 * @property {() => void} stay asks for what the next start needs: storage that stays, a page that opens offline
 * @property {(what: 'id' | 'code', shown: string, wiped: () => void) => Promise<void>} copy for 30 s
 * @property {() => Promise<[import('./texts.js').Key, string][]>} health where the keys are, and how safe they are there
 * @property {() => Promise<void>} remove
 * @property {() => Promise<boolean>} lockOffered
 * @property {() => Promise<Token>} addLock
 * @property {() => Promise<Token>} removeLock
 * @property {() => Promise<Token>} unlock
 * @property {() => Token} lockAgain
 */

/** The token was registered but could not be kept: its ID is void. */
export class Void extends Error {
  /**
   * @param {string} id
   * @param {unknown} cause
   */
  constructor(id, cause) {
    super('void', { cause });
    this.id = id;
  }
}

/** The keeper's own trouble, in the words of a text. */
export class Trouble extends Error {
  /**
   * @param {import('./texts.js').Key} key
   * @param {Record<string, string | number>} values
   */
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** The one address that script may be loaded from other than by a tag; Trusted Types allows nothing else. */
const policy = globalThis.trustedTypes?.createPolicy('warifu-worker', {
  createScriptURL: () => 'worker.js',
});

/** Two tabs that start at once make one token (rule T5). */
const FIRST_START = 'warifu-token-first-start';

/** @implements {Backend} */
export class WebBackend {
  /** @type {store.Stored | undefined} */
  #stored;
  /** @type {CryptoKey | undefined} */
  #key;

  /** @returns {Promise<Found>} */
  async find() {
    if (!isSecureContext) return { kind: 'screen', screen: 'insecure' };
    if (!(await supported())) return { kind: 'screen', screen: 'unsupported' };
    // The mark first: another tab that makes the token meanwhile keeps it before it marks it.
    const before = store.marked();
    this.#stored = await store.load();
    if (!this.#stored) {
      const id = before && store.marked();
      return id ? { kind: 'lost', id } : { kind: 'none' };
    }
    await this.#derive();
    return { kind: 'token', token: this.#token() };
  }

  /** @param {string} language */
  async register(language) {
    await navigator.locks.request(FIRST_START, async () => {
      this.#stored = await store.load();
      this.#stored ??= await this.#provision(language);
      await this.#derive();
    });
    await store.mark(this.#have().id);
    return this.#token();
  }

  /** @param {string} language */
  async #provision(language) {
    const pair = await generate();
    const answer = await service.provision(await publicBytes(pair), language);
    const { id, servicePublicKey, contact } = answer;
    // Before it is kept: a key of the service that makes no secret is refused.
    const key = await derive(pair.privateKey, servicePublicKey, id);
    const stored = {
      id,
      privateKey: pair.privateKey,
      servicePublicKey,
      lock: null,
      contact,
      registeredAt: contact.at,
      welcomed: false,
    };
    try {
      await store.save(stored);
      await sameCodes(key, await store.load());
    } catch (error) {
      throw new Void(id, error);
    }
    return stored;
  }

  async welcome() {
    await this.#keep({ welcomed: true });
    return this.#token();
  }

  /** @param {number} deviceNow */
  codes(deviceNow) {
    if (!this.#key) throw new Error('the token is locked');
    return codesAt(this.#key, corrected(this.#have().contact, deviceNow));
  }

  /** @param {string} language */
  async learn(language) {
    const contact = await service.time(language);
    await this.#keep({ contact });
    await store.mark(this.#have().id);
    return this.#token();
  }

  stay() {
    persist().catch(() => undefined);
    if (!navigator.serviceWorker) return;
    const url = /** @type {string} */ (policy?.createScriptURL('') ?? 'worker.js');
    navigator.serviceWorker.register(url, { updateViaCache: 'none' }).catch(() => undefined);
  }

  /**
   * @param {'id' | 'code'} _what
   * @param {string} shown
   * @param {() => void} wiped
   */
  copy(_what, shown, wiped) {
    return clipboard.copy(shown, wiped);
  }

  /** @returns {Promise<[import('./texts.js').Key, string][]>} */
  async health() {
    const persistent = await navigator.storage?.persisted?.();
    const offline = navigator.serviceWorker?.controller;
    return [
      ['health-keys', text(this.#have().lock ? 'keys-locked' : 'keys-browser')],
      ['health-persistence', text(persistent ? 'persistence-yes' : 'persistence-no')],
      ['health-offline', text(offline ? 'offline-yes' : 'offline-no')],
    ];
  }

  async remove() {
    await store.forget();
    this.#stored = undefined;
    this.#key = undefined;
  }

  lockOffered() {
    return lock.offered();
  }

  async addLock() {
    const { id, servicePublicKey } = this.#have();
    if (!servicePublicKey) throw new Error('there is a lock already');
    const made = await lock.seal(id, servicePublicKey);
    await this.#keep({ lock: made, servicePublicKey: null });
    servicePublicKey.fill(0);
    return this.#token();
  }

  async removeLock() {
    const { id, lock: made } = this.#have();
    if (made) await this.#keep({ lock: null, servicePublicKey: await lock.open(id, made) });
    await this.#derive();
    return this.#token();
  }

  async unlock() {
    const { id, privateKey, lock: made } = this.#have();
    if (made) {
      const servicePublicKey = await lock.open(id, made);
      this.#key = await derive(privateKey, servicePublicKey, id);
      servicePublicKey.fill(0);
    }
    return this.#token();
  }

  lockAgain() {
    if (this.#have().lock) this.#key = undefined;
    return this.#token();
  }

  #have() {
    if (!this.#stored) throw new Error('there is no token');
    return this.#stored;
  }

  async #derive() {
    const { id, privateKey, servicePublicKey } = this.#have();
    if (servicePublicKey) this.#key = await derive(privateKey, servicePublicKey, id);
  }

  /** @param {Partial<store.Stored>} change */
  async #keep(change) {
    const { id } = this.#have();
    const altered = await store.alter(id, change);
    if (!altered) throw new Gone(id);
    this.#stored = altered;
  }

  /** @returns {Token} */
  #token() {
    const { id, welcomed, registeredAt, contact, lock: made } = this.#have();
    const [locked, hasLock] = [!this.#key, made !== null];
    return { id, welcomed, registeredAt, contact, locked, hasLock };
  }
}

/** The token was removed or replaced in another tab. */
export class Gone extends Error {}

/** Asks for storage that the browser does not clear. */
async function persist() {
  const { storage } = navigator;
  if (!storage?.persist) return false;
  return (await storage.persisted()) || storage.persist();
}

/**
 * What was kept makes the same codes as what was derived: some browsers once stored keys that they could not read.
 * @param {CryptoKey} key
 * @param {store.Stored | undefined} stored
 */
async function sameCodes(key, stored) {
  if (!stored?.servicePublicKey) throw new Error('nothing was kept');
  const again = await derive(stored.privateKey, stored.servicePublicKey, stored.id);
  const [first, second] = await Promise.all([codesAt(key, 0), codesAt(again, 0)]);
  if (first.code !== second.code) throw new Error('the kept key makes other codes');
}
