// The token as a web app: its first start, its face, and what it does without a network (rules T1 to T8).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import {
  LOOKS,
  assertAccessible,
  assertNoSidewaysScroll,
  launch,
  openPage,
  screenshot,
} from './browser.mjs';
import { startServer } from './server.mjs';
import {
  ID,
  clockOff,
  firstStart,
  keptOffline,
  newParty,
  playService,
  shownToken,
  startProxy,
  validate,
} from './token_app.mjs';

const [PC] = LOOKS;
const PHONE = { width: 360, colorScheme: 'light' };
const PLAYED = { serviceWorkers: 'block' };

describe('the web token', () => {
  let server;
  let browser;

  before(async () => {
    server = await startServer();
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (look, options) => openPage(browser, server.origin, look, options);

  test('the first start asks nothing, says welcome with one OK, and shows a code in two seconds', async () => {
    const { context, page, complaints } = await open(PHONE);
    const began = performance.now();
    await page.goto(`${server.origin}/token/`);
    const welcome = page.locator('#welcome');
    await welcome.waitFor();
    assert.equal(await page.getByRole('button', { name: 'OK', exact: true }).count(), 1);
    assert.equal(await welcome.getByRole('button').count(), 1);
    assert.equal(await page.locator('input:visible').count(), 0);
    const told = await page.locator('#welcome-id .spoken').textContent();
    await page.getByRole('button', { name: 'OK', exact: true }).click();
    const { id, code } = await shownToken(page);
    const took = performance.now() - began;
    assert.match(id, ID);
    assert.match(code, /^[0-9]{6}$/);
    assert.equal(told.replaceAll(' ', ''), id);
    assert.equal(id[2], 'W');
    assert.ok(took < 2_000, `${took} ms`);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('the page can be used within half a second', async () => {
    const times = [];
    for (let round = 0; round < 3; round += 1) {
      const { context, page } = await open(PHONE);
      await page.addInitScript(() => {
        new MutationObserver(() => {
          const button = document.querySelector('#welcome:not([hidden]) #ok');
          globalThis.usableAt ??= button ? performance.now() : undefined;
        }).observe(document, { subtree: true, childList: true, attributes: true });
      });
      await page.goto(`${server.origin}/token/`);
      await page.locator('#ok').waitFor();
      times.push(await page.evaluate(() => globalThis.usableAt));
      await context.close();
    }
    assert.ok(Math.min(...times) < 500, `${times} ms`);
  });

  test('the code of the web token is the one that the service expects, once', async () => {
    const key = await newParty(server);
    const { context, page } = await open(PC);
    const token = await firstStart(page, server.origin);
    assert.equal(await validate(server, key, token), 'accepted');
    assert.notEqual(await validate(server, key, token), 'accepted');
    await context.close();
  });

  test('a second start finds the token and registers nothing', async () => {
    const { context, page } = await open(PC);
    const { id } = await firstStart(page, server.origin);
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/v1/credentials')) asked += 1;
    });
    await page.reload();
    assert.equal((await shownToken(page)).id, id);
    const second = await context.newPage();
    await second.goto(`${server.origin}/token/`);
    assert.equal((await shownToken(second)).id, id);
    assert.equal(asked, 0);
    await context.close();
  });

  test('two tabs that start at once make one token', async () => {
    const { context, page } = await open(PC, PLAYED);
    const played = await playService(context);
    const other = await context.newPage();
    await Promise.all([page, other].map((tab) => tab.goto(`${server.origin}/token/`)));
    await Promise.all([page, other].map((tab) => tab.locator('#welcome').waitFor()));
    assert.equal(played.provisions, 1);
    await context.close();
  });

  test('a tab that hears late that there is no token takes the one that another tab made meanwhile', async () => {
    const { context, page } = await open(PC, PLAYED);
    const played = await playService(context);
    const late = await context.newPage();
    await late.addInitScript(() => {
      const { prototype } = IDBTransaction;
      const { set } = Object.getOwnPropertyDescriptor(prototype, 'oncomplete');
      Object.defineProperty(prototype, 'oncomplete', {
        set(heard) {
          set.call(this, (event) => setTimeout(() => heard(event), 2_000));
        },
      });
    });
    await late.goto(`${server.origin}/token/`, { waitUntil: 'commit' });
    await late.locator('main').waitFor({ state: 'attached' });
    await page.goto(`${server.origin}/token/`);
    await page.locator('#welcome').waitFor();
    await late.locator('#welcome').waitFor();
    assert.equal(played.provisions, 1);
    await context.close();
  });

  test('with the server stopped and the page reloaded it has the same ID and the right code', async () => {
    const own = await startServer();
    const { context, page } = await openPage(browser, own.origin, PHONE);
    const provision = page.waitForResponse((response) => response.url().endsWith('/v1/credentials'));
    const { id } = await firstStart(page, own.origin);
    await provision;
    await keptOffline(page);
    const key = await newParty(own);
    await own.pause();
    await page.reload();
    const again = await shownToken(page);
    assert.equal(again.id, id);
    await page.getByText('オフラインです').waitFor();
    await own.resume();
    assert.equal(await validate(own, key, again), 'accepted');
    await context.close();
    await own.stop();
  });

  test('a clock 95 s off is told, and the code is right all the same', async () => {
    const key = await newParty(server);
    for (const [off, said] of [[95_000, '95 秒進んでいます'], [-95_000, '95 秒遅れています']]) {
      const { context, page } = await open(PHONE);
      await clockOff(context, off);
      const token = await firstStart(page, server.origin);
      await page.getByRole('alert').getByText(said).waitFor();
      assert.equal(await validate(server, key, token), 'accepted');
      if (off > 0) await screenshot(page, 'token-clock');
      await assertAccessible(page);
      await context.close();
    }
  });

  test('a clock that was set back without a network is told', async () => {
    const { context, page } = await open(PC, PLAYED);
    const real = Date.now();
    await playService(context, { now: () => real });
    await page.clock.install({ time: real });
    await firstStart(page, server.origin);
    await context.unroute('**/v1/time');
    await context.route('**/v1/time', (route) => route.abort());
    await page.clock.setFixedTime(real - 3_600_000);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByRole('alert').getByText('戻されています').waitFor();
    await context.close();
  });

  test('a clock that is set while the token is open is noticed, and the codes stay right', async () => {
    const key = await newParty(server);
    const { context, page } = await open(PC);
    await page.addInitScript(() => {
      const real = Date.now.bind(Date);
      globalThis.off = 95_000;
      Date.now = () => real() + globalThis.off;
    });
    await firstStart(page, server.origin);
    await page.getByRole('alert').getByText('95 秒進んでいます').waitFor();
    await page.evaluate(() => (globalThis.off = 0));
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    assert.equal(await validate(server, key, await shownToken(page)), 'accepted');
    await context.close();
  });

  test('ten thousand codes over as many half minutes are those of oathtool', async () => {
    const { context, page } = await open(PC, PLAYED);
    const start = Date.parse('2026-04-01T00:00:00Z');
    const count = 10_000;
    const { secrets } = await playService(context, { now: () => start });
    await page.addInitScript((time) => {
      globalThis.fakeNow = time;
      Date.now = () => globalThis.fakeNow;
    }, start);
    await context.route('**/v1/time', (route) => route.abort());
    await firstStart(page, server.origin);
    const codes = await page.evaluate(async ({ start: from, count: many }) => {
      const code = document.querySelector('#code');
      const found = [];
      for (let step = 0; step < many; step += 1) {
        globalThis.fakeNow = from + step * 30_000;
        const wanted = String(Math.floor(globalThis.fakeNow / 30_000));
        document.dispatchEvent(new Event('visibilitychange'));
        while (code.dataset.step !== wanted) {
          await new Promise((resolve) => {
            const seen = new MutationObserver(() => {
              seen.disconnect();
              resolve();
            });
            seen.observe(code, { attributes: true });
          });
        }
        found.push(code.querySelector('.spoken').textContent.replaceAll(' ', ''));
      }
      return found;
    }, { start, count });
    const words = ['--totp=sha256', '-d', '6', '-w', String(count - 1), '--now', `@${start / 1000}`];
    const expected = execFileSync('oathtool', [...words, secrets[0].toString('hex')], {
      encoding: 'utf8',
    });
    assert.equal(codes.length, count);
    assert.deepEqual(codes, expected.trim().split('\n'));
    await context.close();
  });

  test('the first start takes less than 60 KB and asks nobody but its own origin', async () => {
    const proxy = await startProxy(server);
    const { context, page, complaints } = await openPage(browser, proxy.origin, PHONE);
    await firstStart(page, proxy.origin);
    await keptOffline(page);
    await page.waitForLoadState('networkidle');
    const written = proxy.written();
    assert.ok(written > 5_000 && written < 60_000, `${written} bytes`);
    assert.deepEqual(complaints, []);
    await context.close();
    proxy.stop();
  });

  test('the secret is in no message, store or log, and every key refuses to be exported', async () => {
    const { context, page } = await open(PC, PLAYED);
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('request', (request) => said.push(`${request.url()} ${request.postData() ?? ''}`));
    await page.addInitScript(() => {
      globalThis.calls = [];
      for (const name of ['generateKey', 'deriveKey', 'deriveBits', 'importKey', 'exportKey', 'wrapKey', 'unwrapKey']) {
        const real = SubtleCrypto.prototype[name];
        SubtleCrypto.prototype[name] = async function watched(...words) {
          const result = await real.apply(this, words);
          const keys = result instanceof CryptoKey ? [result] : Object.values(result);
          const open = keys.filter((key) => key instanceof CryptoKey && key.extractable);
          const bytes = words.filter((word) => ArrayBuffer.isView(word)).map((word) => [...word]);
          const out = result instanceof ArrayBuffer ? [...new Uint8Array(result)] : null;
          globalThis.calls.push({ name, types: open.map((key) => key.type), bytes, out });
          return result;
        };
      }
    });
    const { secrets, bodies } = await playService(context);
    await firstStart(page, server.origin);
    const kept = await page.evaluate(async () => {
      const settled = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await settled(indexedDB.open('warifu-token'));
      const stores = [...database.objectStoreNames];
      const records = await settled(database.transaction(stores[0]).objectStore(stores[0]).getAll());
      const refused = [];
      const show = (name, value) => {
        if (!(value instanceof CryptoKey)) return ArrayBuffer.isView(value) ? [...value] : value;
        return { key: [value.type, value.extractable, value.algorithm.name, ...value.usages] };
      };
      for (const value of records.flatMap((record) => Object.values(record))) {
        if (!(value instanceof CryptoKey)) continue;
        for (const form of ['raw', 'pkcs8', 'jwk']) {
          try {
            await crypto.subtle.exportKey(form, value);
          } catch (error) {
            refused.push(error.name);
          }
        }
      }
      const text = JSON.stringify(records, show);
      const storage = JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]);
      return { stores, count: records.length, text, refused, storage, calls: globalThis.calls };
    });
    assert.deepEqual(kept.stores, ['token']);
    assert.equal(kept.count, 1);
    assert.equal(kept.refused.length, 3);
    assert.ok(kept.refused.every((name) => ['InvalidAccessError', 'NotSupportedError'].includes(name)));
    // No call gave script an open secret: what can be exported is public.
    const names = kept.calls.map(({ name }) => name);
    assert.ok(names.includes('deriveKey'));
    for (const name of ['deriveBits', 'wrapKey', 'unwrapKey']) assert.ok(!names.includes(name), name);
    for (const { types } of kept.calls) assert.ok(types.every((type) => type === 'public'));
    const texts = [...said, ...bodies, kept.text, kept.storage, JSON.stringify(kept.calls), server.output()];
    assert.equal(secrets.length, 1);
    const [secret] = secrets;
    const forms = [secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')];
    forms.push([...secret].join(','));
    for (const form of forms) for (const text of texts) assert.ok(!text.includes(form));
    await context.close();
  });

  test('markup and script addresses from strings are refused by the page', async () => {
    const { context, page } = await open(PC);
    const response = await page.goto(`${server.origin}/token/`);
    const policy = response.headers()['content-security-policy'];
    for (const part of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"]) {
      assert.ok(policy.includes(part), part);
    }
    assert.ok(!policy.includes('unsafe'));
    await page.locator('#welcome').waitFor();
    const refused = await page.evaluate(() => {
      const tries = [
        () => (document.createElement('div').innerHTML = '<b>x</b>'),
        () => (document.createElement('script').src = 'https://elsewhere.example/x.js'),
        () => globalThis.trustedTypes.createPolicy('another', {}),
      ];
      return tries.filter((attempt) => {
        try {
          attempt();
          return false;
        } catch {
          return true;
        }
      }).length;
    });
    assert.equal(refused, 3);
    await context.close();
  });
});
