// A token that speaks the wire format (docs: ARCHITECTURE.md), written apart from the programs under test.

import assert from 'node:assert/strict';
import { createHmac, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';

const PERIOD = 30;
// The bytes before a raw X25519 key in its SPKI form (RFC 8410).
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');

/** RFC 6238 with HMAC-SHA-256 and six digits. */
export function totp(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha256', secret).update(counter).digest();
  const offset = mac[mac.length - 1] & 0xf;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

/** Registers a new token with the token service, as the app does at its first start. */
export async function newToken(origin) {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const response = await fetch(`${origin}/v1/credentials`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ platform: 'web', public_key: raw.toString('base64url') }),
  });
  assert.equal(response.status, 201);
  const answer = await response.json();
  const service = Buffer.concat([SPKI, Buffer.from(answer.service_public_key, 'base64url')]);
  const shared = diffieHellman({
    privateKey,
    publicKey: createPublicKey({ key: service, type: 'spki', format: 'der' }),
  });
  const secret = Buffer.from(hkdfSync('sha256', shared, answer.credential_id, 'warifu totp v1', 32));
  return {
    id: answer.credential_id,
    /** The code of the service's own time. */
    async code() {
      const { service_time: now } = await (await fetch(`${origin}/v1/time`)).json();
      return totp(secret, Math.floor(Date.parse(now) / 1000 / PERIOD));
    },
  };
}
