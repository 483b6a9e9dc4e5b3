// The optional lock. A key that cannot be exported cannot be wrapped either, and making it exportable for a moment would
// break rule T5. So the lock seals the other half of the exchange: without the service's public key for this one token,
// which is stored nowhere else, the stored private key makes no secret. What opens the seal is the PRF of the platform's
// authenticator (WebAuthn Level 3 §10.1.4), which asks for the finger, the face or the PIN. docs/decisions/0019-web-token.md

const INFO = new TextEncoder().encode('warifu token lock v1');

/**
 * `box`: the service's public key under AES-256-GCM with the token ID as associated data.
 * @typedef {object} Lock
 * @property {ArrayBuffer} credential
 * @property {Uint8Array<ArrayBuffer>} salt 32 bytes
 * @property {Uint8Array<ArrayBuffer>} iv 12 bytes
 * @property {ArrayBuffer} box
 */

/** The device has no authenticator with a PRF. */
export class NoPrf extends Error {}

/** @param {number} length */
function random(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Whether it is worth offering. An IP address is no name that an authenticator could be bound to. */
export async function offered() {
  if (!globalThis.PublicKeyCredential || /^[\d.]+$|^\[/.test(location.hostname)) return false;
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false);
}

/**
 * @param {BufferSource} output the PRF's 32 bytes; overwritten once they are a key
 */
async function sealingKey(output) {
  const raw = await crypto.subtle.importKey('raw', output, 'HKDF', false, ['deriveKey']);
  const bytes = ArrayBuffer.isView(output) ? output.buffer : output;
  new Uint8Array(bytes).fill(0);
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: INFO };
  return crypto.subtle.deriveKey(hkdf, raw, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
}

/**
 * Asks the authenticator.
 * @param {ArrayBuffer} credential
 * @param {Uint8Array<ArrayBuffer>} salt
 */
async function evaluate(credential, salt) {
  const assertion = await navigator.credentials.get({
    publicKey: {
      challenge: random(32),
      allowCredentials: [{ type: 'public-key', id: credential }],
      userVerification: 'required',
      extensions: { prf: { eval: { first: salt } } },
    },
  });
  const answer = /** @type {PublicKeyCredential} */ (assertion).getClientExtensionResults();
  const output = answer.prf?.results?.first;
  if (!output) throw new NoPrf('the authenticator has no PRF');
  return sealingKey(output);
}

/** @param {string} id */
function associated(id) {
  return new TextEncoder().encode(id);
}

/**
 * Makes a lock around the service's public key.
 * @param {string} id
 * @param {Uint8Array<ArrayBuffer>} servicePublicKey
 * @returns {Promise<Lock>}
 */
export async function seal(id, servicePublicKey) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: random(32),
      rp: { name: 'Warifu' },
      user: { id: random(16), name: id, displayName: id },
      pubKeyCredParams: [
        { type: 'public-key', alg: -7 },
        { type: 'public-key', alg: -257 },
      ],
      authenticatorSelection: {
        authenticatorAttachment: 'platform',
        residentKey: 'discouraged',
        userVerification: 'required',
      },
      extensions: { prf: {} },
    },
  });
  const credential = /** @type {PublicKeyCredential} */ (made);
  if (!credential.getClientExtensionResults().prf?.enabled) throw new NoPrf('no PRF');
  const [salt, iv] = [random(32), random(12)];
  const key = await evaluate(credential.rawId, salt);
  const settings = { name: 'AES-GCM', iv, additionalData: associated(id) };
  const box = await crypto.subtle.encrypt(settings, key, servicePublicKey);
  return { credential: credential.rawId, salt, iv, box };
}

/**
 * @param {string} id
 * @param {Lock} lock
 * @returns {Promise<Uint8Array<ArrayBuffer>>} the service's public key
 */
export async function open(id, { credential, salt, iv, box }) {
  const key = await evaluate(credential, salt);
  const settings = { name: 'AES-GCM', iv, additionalData: associated(id) };
  return new Uint8Array(await crypto.subtle.decrypt(settings, key, box));
}
