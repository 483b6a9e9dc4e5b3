// The secret of a token: both sides derive it and neither sends it (rule T5). Here it lives inside keys of WebCrypto
// that cannot be exported; its bytes never come into script.

const INFO = new TextEncoder().encode('warifu totp v1');

/** The service sent a key that makes no secret (RFC 7748 §6.1). */
export class WeakServiceKey extends Error {}

/** Whether this browser has X25519 in WebCrypto; a page that is not secure has no WebCrypto at all. */
export async function supported() {
  try {
    await generate();
    return true;
  } catch {
    return false;
  }
}

/**
 * A new key pair. The private half cannot be exported.
 * @returns {Promise<CryptoKeyPair>}
 */
export async function generate() {
  const pair = await crypto.subtle.generateKey({ name: 'X25519' }, false, ['deriveKey']);
  return /** @type {CryptoKeyPair} */ (pair);
}

/**
 * What the service gets to see.
 * @param {CryptoKeyPair} pair
 */
export async function publicBytes(pair) {
  return new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
}

/**
 * X25519, then HKDF-SHA-256 with the credential ID as salt, then a key for HMAC-SHA-256 (crates/wire says the same).
 * @param {CryptoKey} privateKey
 * @param {Uint8Array<ArrayBuffer>} servicePublicKey 32 bytes
 * @param {string} id the 12 characters of the credential ID
 */
export async function derive(privateKey, servicePublicKey, id) {
  const { subtle } = crypto;
  const service = await subtle.importKey('raw', servicePublicKey, { name: 'X25519' }, true, []);
  const exchange = { name: 'X25519', public: service };
  let shared;
  try {
    shared = await subtle.deriveKey(exchange, privateKey, 'HKDF', false, ['deriveKey']);
  } catch (error) {
    throw new WeakServiceKey('the exchange came to nothing', { cause: error });
  }
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new TextEncoder().encode(id), info: INFO };
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  return subtle.deriveKey(hkdf, shared, hmac, false, ['sign']);
}

/**
 * Base64url without padding (RFC 4648 §5).
 * @param {Uint8Array} bytes
 */
export function toBase64Url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64Url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
