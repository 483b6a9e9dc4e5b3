// Where a token lives between two starts: one record in IndexedDB, and a marker outside it that tells a token that was
// lost from one that never was. The marker holds the token ID, which is no secret (rule S1).

/**
 * `servicePublicKey` is null while the token is locked: then `lock` holds it, sealed.
 * @typedef {object} Stored
 * @property {string} id
 * @property {CryptoKey} privateKey cannot be exported
 * @property {Uint8Array<ArrayBuffer> | null} servicePublicKey 32 bytes
 * @property {import('./lock.js').Lock | null} lock
 * @property {import('./clock.js').Contact} contact
 * @property {number} registeredAt milliseconds since 1970, by the service's clock
 * @property {boolean} welcomed
 */

const DATABASE = 'warifu-token';
const STORE = 'token';
const ONLY = 'only';
const MARKER = 'warifu-token-id';
const COOKIE = '__Secure-warifu_token';

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * One transaction on the store, answered when it is durable.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
async function within(mode, work) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    const transaction = database.transaction(STORE, mode, { durability: 'strict' });
    const request = work(transaction.objectStore(STORE));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  } finally {
    database.close();
  }
}

/** @returns {Promise<Stored | undefined>} */
export function load() {
  return within('readonly', (store) => store.get(ONLY));
}

/** @param {Stored} stored */
export async function save(stored) {
  await within('readwrite', (store) => store.put(stored, ONLY));
}

/**
 * Changes what is kept of a token, in one transaction: another tab may have removed it or put another in its place.
 * @param {string} id
 * @param {Partial<Stored>} change
 * @returns {Promise<Stored | undefined>} nothing when that token is no longer here
 */
export async function alter(id, change) {
  /** @type {Stored | undefined} */
  let altered;
  await within('readwrite', (store) => {
    const reading = store.get(ONLY);
    reading.onsuccess = () => {
      if (reading.result?.id !== id) return;
      altered = { ...reading.result, ...change };
      store.put(altered, ONLY);
    };
    return reading;
  });
  return altered;
}

/** The token is gone, and that was wished. */
export async function forget() {
  await within('readwrite', (store) => store.delete(ONLY));
  try {
    localStorage.removeItem(MARKER);
  } catch {
    // No storage, no marker.
  }
  await fetch('marker', { method: 'DELETE' }).catch(() => undefined);
}

/**
 * Leaves the marker; the service sets it as a cookie too, since Safari drops what script wrote after seven days.
 * @param {string} id
 */
export async function mark(id) {
  try {
    localStorage.setItem(MARKER, id);
  } catch {
    // The cookie remains.
  }
  await fetch('marker', { method: 'PUT', body: id }).catch(() => undefined);
}

/** The ID of a token that once was here, or null. */
export function marked() {
  const cookies = document.cookie.split('; ');
  const cookie = cookies.find((text) => text.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  let kept = null;
  try {
    kept = localStorage.getItem(MARKER);
  } catch {
    // The cookie remains.
  }
  const id = kept ?? cookie ?? '';
  return /^[A-Z]{4}[0-9]{8}$/.test(id) ? id : null;
}

/** What of the look the customer chose; never anything of the token itself. */
export const choices = {
  /** @param {'language' | 'hidden'} name */
  get(name) {
    try {
      return localStorage.getItem(`warifu-${name}`);
    } catch {
      return null;
    }
  },
  /**
   * @param {'language' | 'hidden'} name
   * @param {string} value
   */
  set(name, value) {
    try {
      localStorage.setItem(`warifu-${name}`, value);
    } catch {
      // Then it holds until the page is closed.
    }
  },
};
