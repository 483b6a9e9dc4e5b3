// What of the web token needs no page: its codes, its key derivation and its clock, on the vectors that the Rust side
// runs too (crates/wire/vectors/secret.json), and beside oathtool.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { corrected, isOff, measure, wasSetBack } from '../../apps/web-token/clock.js';
import {
  WeakServiceKey,
  derive,
  fromBase64Url,
  generate,
  publicBytes,
  toBase64Url,
} from '../../apps/web-token/exchange.js';
import { codeOf, codesAt, secondsLeft, stepAt } from '../../apps/web-token/totp.js';
import { EN } from '../../apps/web-token/texts_en.js';
import { JA } from '../../apps/web-token/texts_ja.js';

const FILES = new URL('../../apps/web-token/', import.meta.url);
const VECTORS = new URL('../../crates/wire/vectors/secret.json', import.meta.url);
// The bytes before a raw X25519 private key in its PKCS #8 form (RFC 8410).
const PKCS8 = '302e020100300506032b656e04220420';

const { vectors, weak_service_keys: weak } = JSON.parse(await readFile(VECTORS, 'utf8'));

function privateKey(hex) {
  const bytes = Buffer.from(PKCS8 + hex, 'hex');
  return crypto.subtle.importKey('pkcs8', bytes, { name: 'X25519' }, false, ['deriveKey']);
}

test('the shared vectors hold in script, for both halves of the exchange', async () => {
  assert.equal(vectors.length, 5);
  for (const vector of vectors) {
    const { credential_id: id, codes } = vector;
    const halves = [
      [vector.device_private_key_hex, vector.service_public_key],
      [vector.service_private_key_hex, vector.device_public_key],
    ];
    for (const [mine, theirs] of halves) {
      const key = await derive(await privateKey(mine), fromBase64Url(theirs), id);
      assert.equal(key.extractable, false);
      assert.ok(codes.length > 0);
      for (const { unix_seconds: seconds, code } of codes) {
        assert.equal((await codesAt(key, seconds * 1000)).code, code, `${id} at ${seconds}`);
      }
    }
  }
});

test('the shared vectors are what oathtool says', () => {
  for (const { secret_hex: secret, codes } of vectors) {
    for (const { unix_seconds: seconds, code } of codes) {
      const words = ['--totp=sha256', '-d', '6', '--now', `@${seconds}`, secret];
      assert.equal(execFileSync('oathtool', words, { encoding: 'utf8' }).trim(), code);
    }
  }
});

test('a service key of low order is refused in script', async () => {
  const { privateKey: mine } = await generate();
  assert.equal(weak.length, 7);
  for (const key of weak) {
    await assert.rejects(derive(mine, fromBase64Url(key), 'WRCA12345671'), WeakServiceKey, key);
  }
});

test('the key pair and the key of the codes cannot be exported', async () => {
  const [mine, theirs] = [await generate(), await generate()];
  const key = await derive(mine.privateKey, await publicBytes(theirs), 'WRCA12345671');
  for (const secret of [mine.privateKey, key]) {
    for (const form of ['raw', 'jwk', 'pkcs8']) {
      await assert.rejects(crypto.subtle.exportKey(form, secret), form);
    }
  }
  assert.deepEqual(key.usages, ['sign']);
});

test('base64url has no padding and comes back as it was', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    const text = toBase64Url(bytes);
    assert.equal(text, Buffer.from(bytes).toString('base64url'));
    assert.deepEqual(fromBase64Url(text), bytes);
  }
});

test('the next code is the code of the next step, and before 1970 there is none', async () => {
  const key = await crypto.subtle.importKey(
    'raw',
    Buffer.from('12345678901234567890123456789012'),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  // RFC 6238 appendix B, SHA-256, the last six of the eight digits.
  for (const [seconds, code] of [[59, '119246'], [1111111109, '084774'], [20000000000, '737706']]) {
    assert.equal(await codeOf(key, stepAt(seconds * 1000)), code);
  }
  const [first, second] = [await codesAt(key, 1_000), await codesAt(key, 31_000)];
  assert.equal(first.next, second.code);
  await assert.rejects(codesAt(key, -1), RangeError);
});

test('the seconds run from thirty to one and never show zero', () => {
  for (const [now, seconds] of [[0, 30], [1, 30], [20_000, 10], [29_000, 1], [29_999, 1], [30_000, 30]]) {
    assert.equal(secondsLeft(now), seconds, String(now));
  }
});

test('the offset is taken half-way, and only more than ten seconds are told', () => {
  const contact = measure(0, 96_000, 2_000);
  assert.deepEqual(contact, { offset: 95_000, at: 96_000 });
  assert.equal(corrected(contact, 5_000), 100_000);
  for (const [offset, off] of [[10_000, false], [-10_000, false], [10_001, true], [-10_001, true]]) {
    assert.equal(isOff({ offset, at: 0 }), off, String(offset));
  }
});

test('a clock that was set back since the last contact is noticed', () => {
  const contact = { offset: 5_000, at: 1_000_000 };
  assert.equal(wasSetBack(contact, 990_000), false);
  assert.equal(wasSetBack(contact, 900_000), true);
});

test('both languages have the same texts, every one is used, and none that is used is missing', async () => {
  assert.deepEqual(Object.keys(EN), Object.keys(JA));
  const names = ['index.html', 'main.js', 'backend.js', 'face.js', 'texts.js', 'service.js'];
  const files = await Promise.all(names.map((name) => readFile(new URL(name, FILES), 'utf8')));
  const html = files[0];
  for (const [, key] of html.matchAll(/data-(?:text|label)="([^"]+)"/g)) assert.ok(key in JA, key);
  const all = files.join('\n');
  for (const key of Object.keys(JA)) {
    const [family] = key.split('-');
    const built = ['trouble', 'link'].includes(family) && all.includes(`\`${family}-\${`);
    const named = all.includes(`"${key}"`) || all.includes(`'${key}'`);
    assert.ok(named || built, `${key} is not used`);
    const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
    assert.deepEqual(places(EN[key]), places(JA[key]), key);
  }
});
