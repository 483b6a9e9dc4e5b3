// RFC 6238 with HMAC-SHA-256, six digits, 30 s (rule T3). crates/oath says the same in Rust; both run
// crates/wire/vectors/secret.json.

/** Seconds of a time step. */
export const PERIOD = 30;

/**
 * What is shown at one moment.
 * @typedef {{ step: number, code: string, next: string }} Codes
 */

/**
 * The time step of a moment.
 * @param {number} now milliseconds since 1970, corrected (rule T6)
 */
export function stepAt(now) {
  return Math.floor(now / 1000 / PERIOD);
}

/**
 * How long the running step still lasts, in whole seconds rounded up: 30 to 1, never 0.
 * @param {number} now milliseconds since 1970, corrected
 */
export function secondsLeft(now) {
  return Math.ceil(((stepAt(now) + 1) * PERIOD * 1000 - now) / 1000);
}

/**
 * Dynamic truncation (RFC 4226 §5.3) to six digits.
 * @param {Uint8Array} mac
 */
export function truncate(mac) {
  const view = new DataView(mac.buffer, mac.byteOffset, mac.byteLength);
  const offset = view.getUint8(mac.byteLength - 1) & 0xf;
  const number = (view.getUint32(offset) & 0x7fff_ffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

/**
 * The code of a time step.
 * @param {CryptoKey} key HMAC-SHA-256
 * @param {number} step
 */
export async function codeOf(key, step) {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setUint32(0, Math.floor(step / 2 ** 32));
  counter.setUint32(4, step % 2 ** 32);
  return truncate(new Uint8Array(await crypto.subtle.sign('HMAC', key, counter.buffer)));
}

/**
 * The codes of a moment. Before 1970 there are none.
 * @param {CryptoKey} key
 * @param {number} now milliseconds since 1970, corrected
 * @returns {Promise<Codes>}
 */
export async function codesAt(key, now) {
  const step = stepAt(now);
  if (step < 0) throw new RangeError('the clock stands before 1970');
  const [code, next] = await Promise.all([codeOf(key, step), codeOf(key, step + 1)]);
  return { step, code, next };
}
