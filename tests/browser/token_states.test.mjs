// What the web token does when things are not as usual: no service, no keys, another browser, an older version, a lock.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertAccessible, launch, openPage } from './browser.mjs';
import { startServer } from './server.mjs';
import {
  clockOff,
  firstStart,
  keptOffline,
  newParty,
  playService,
  shownToken,
  startProxy,
  validate,
} from './token_app.mjs';

const PC = { width: 1280, colorScheme: 'light' };
const PHONE = { width: 360, colorScheme: 'dark' };
const PLAYED = { serviceWorkers: 'block' };
const IPHONE = {
  userAgent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
};

describe('the web token, when things are not as usual', () => {
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
  const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

  test('with no service it says so, and registers when the network is back', async () => {
    const { context, page } = await open(PHONE, PLAYED);
    await context.route('**/v1/credentials', (route) => route.abort());
    await page.goto(`${server.origin}/token/`);
    await page.getByText('トークンサービスに接続できません').waitFor();
    await assertAccessible(page);
    await context.unroute('**/v1/credentials');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('#welcome').waitFor();
    await context.close();
  });

  test('a lost answer to the registration is safe: the next try makes the token', async () => {
    const { context, page } = await open(PC, PLAYED);
    let lost = '';
    await context.route('**/v1/credentials', async (route) => {
      const response = await route.fetch();
      lost = (await response.json()).credential_id;
      await route.abort();
    });
    await page.goto(`${server.origin}/token/`);
    await page.locator('#failed').waitFor();
    await context.unroute('**/v1/credentials');
    await press(page, 'もう一度試す');
    await press(page, 'OK');
    const token = await shownToken(page);
    assert.notEqual(token.id, lost);
    assert.equal(await validate(server, await newParty(server), token), 'accepted');
    await context.close();
  });

  test('what the service refuses or spoils is told in words, and nothing is kept', async () => {
    const busy = { status: 429, headers: { 'Retry-After': '600' }, json: { detail: 'x' } };
    const cases = [
      [(route) => route.fulfill(busy), '10 分たってから'],
      [(route) => route.fulfill({ status: 503, json: {} }), '接続できません'],
      [(route) => route.fulfill({ status: 422, json: { detail: '見本の理由' } }), '見本の理由'],
      [(route) => route.fulfill({ status: 200, body: '<html>' }), 'トークンサービスではない'],
    ];
    for (const [answer, said] of cases) {
      const { context, page } = await open(PC, PLAYED);
      await context.route('**/v1/credentials', answer);
      await page.goto(`${server.origin}/token/`);
      await page.locator('#failed-why').getByText(said).waitFor();
      await context.close();
    }
    const spoiled = [
      [{ service_public_key: 'A'.repeat(43) }, '安全でない'],
      [{ algorithm: 'SHA512' }, '対応していません'],
      [{ credential_id: '<b>' }, 'トークンサービスではない'],
      [{ service_time: 'now' }, 'トークンサービスではない'],
    ];
    for (const [change, said] of spoiled) {
      const { context, page } = await open(PC, PLAYED);
      await playService(context, { change: (answer) => ({ ...answer, ...change }) });
      await page.goto(`${server.origin}/token/`);
      await page.locator('#failed-why').getByText(said).waitFor();
      const databases = await page.evaluate(() => localStorage.getItem('warifu-token-id'));
      assert.equal(databases, null);
      await context.close();
    }
  });

  test('a token that the browser cannot keep is told to be void', async () => {
    const { context, page } = await open(PC, PLAYED);
    await page.addInitScript(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('', 'DataCloneError');
      };
    });
    await playService(context);
    await page.goto(`${server.origin}/token/`);
    await page.getByText('トークン WRWA 1234 5671 は登録されましたが').waitFor();
    assert.equal(await page.locator('#token').isVisible(), false);
    await context.close();
  });

  test('a browser without X25519 is told which has it, and registers nothing', async () => {
    const { context, page } = await open(PC, PLAYED);
    await page.addInitScript(() => {
      const real = SubtleCrypto.prototype.generateKey;
      SubtleCrypto.prototype.generateKey = function refuse(algorithm, ...rest) {
        if (algorithm.name === 'X25519') throw new DOMException('', 'NotSupportedError');
        return real.call(this, algorithm, ...rest);
      };
    });
    const played = await playService(context);
    await page.goto(`${server.origin}/token/`);
    await page.getByText('Firefox 130+').waitFor();
    await assertAccessible(page);
    assert.equal(played.provisions, 0);
    await context.close();
  });

  test('on an iPhone it registers from the Home Screen only', async () => {
    for (const standalone of [false, true]) {
      const { context, page } = await open(PHONE, { ...PLAYED, ...IPHONE });
      const played = await playService(context);
      await page.addInitScript((value) => {
        Object.defineProperty(Navigator.prototype, 'standalone', { get: () => value });
      }, standalone);
      await page.goto(`${server.origin}/token/`);
      await page.locator(standalone ? '#welcome' : '#home-screen').waitFor();
      await assertAccessible(page);
      assert.equal(played.provisions, standalone ? 1 : 0);
      await context.close();
    }
  });

  for (const keeps of ['the cookie', 'the local storage']) {
    test(`a token whose keys are gone is told by ${keeps}, and no new one is made unasked`, async () => {
      const { context, page } = await open(PHONE);
      const { id } = await firstStart(page, server.origin);
      const cookies = await context.cookies(`${server.origin}/token/`);
      const [cookie] = cookies.filter(({ name }) => name === '__Secure-warifu_token');
      assert.deepEqual(
        { value: cookie.value, path: cookie.path, secure: cookie.secure, sameSite: cookie.sameSite },
        { value: id, path: '/token/', secure: true, sameSite: 'Strict' },
      );
      await page.evaluate((which) => {
        indexedDB.deleteDatabase('warifu-token');
        if (which === 'the cookie') localStorage.clear();
      }, keeps);
      if (keeps !== 'the cookie') await context.clearCookies();
      await page.reload();
      await page.locator('#lost').waitFor();
      const told = `${id.slice(0, 4)} ${id.slice(4, 8)} ${id.slice(8)}`;
      assert.equal(await page.locator('#lost-id').innerText(), told);
      await page.getByText('トークンの紛失・盗難').waitFor();
      await assertAccessible(page);
      await press(page, '新しいトークンを作る');
      await press(page, 'OK');
      assert.notEqual((await shownToken(page)).id, id);
      await context.close();
    });
  }

  test('a marker that is no token ID is refused', async () => {
    for (const body of ['', 'WRWA12345678', 'x; Path=/', '<b>']) {
      const { status } = await fetch(`${server.origin}/token/marker`, { method: 'PUT', body });
      assert.equal(status, 422, body);
    }
  });

  test('both are copied, seen and spoken, and the clipboard is cleared after 30 s', async () => {
    const { context, page } = await open(PC, {
      ...PLAYED,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await playService(context);
    await page.clock.install({ time: Date.now() });
    const { id, code } = await firstStart(page, server.origin);
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    const said = (text) => page.getByRole('status').getByText(text).waitFor();
    await press(page, 'コピー （トークンID）');
    await page.clock.runFor(100);
    await said('トークンIDをコピーしました');
    assert.equal(await clipboard(), id);
    await press(page, 'コピー （セキュリティコード）');
    await page.clock.runFor(100);
    await said([...code].join(' '));
    assert.equal(await clipboard(), code);
    await page.clock.runFor(29_000);
    assert.equal(await clipboard(), code);
    await page.clock.runFor(1_000);
    await page.waitForFunction(async () => (await navigator.clipboard.readText()) === '');
    // What the customer copied since stays.
    await press(page, 'コピー （トークンID）');
    await page.evaluate(() => navigator.clipboard.writeText('another'));
    await page.clock.runFor(31_000);
    assert.equal(await clipboard(), 'another');
    await context.close();
  });

  test('the next code comes on the same line in the last ten seconds, and nothing moves', async () => {
    const { context, page } = await open(PHONE, PLAYED);
    const start = Date.parse('2026-04-01T00:00:00Z');
    await playService(context, { now: () => start });
    await context.route('**/v1/time', (route) => route.abort());
    await page.clock.install({ time: start });
    await firstStart(page, server.origin);
    const next = page.locator('#next');
    const at = () => page.locator('#code').boundingBox();
    await page.clock.pauseAt(start + 15_800);
    const before = await at();
    assert.equal(await next.isVisible(), false);
    await page.getByText('あと 15 秒', { exact: true }).waitFor();
    await page.clock.pauseAt(start + 20_900);
    await next.waitFor();
    assert.deepEqual(await at(), before);
    const soon = (await next.locator('.spoken').textContent()).replaceAll(' ', '');
    const line = await page.locator('#next-code').boundingBox();
    assert.ok(line.y > before.y && line.y + line.height <= before.y + before.height);
    await page.clock.pauseAt(start + 30_900);
    await page.waitForFunction(
      (step) => document.querySelector('#code').dataset.step === String(step),
      start / 30_000 + 1,
    );
    assert.equal((await shownToken(page)).code, soon);
    assert.equal(await next.isVisible(), false);
    await context.close();
  });

  test('a screen reader gets the code digit by digit, and the timer only when asked', async () => {
    const { context, page } = await open(PC);
    const { id, code } = await firstStart(page, server.origin);
    const tree = await page.locator('main').ariaSnapshot();
    assert.ok(tree.includes([...code].join(' ')), tree);
    assert.ok(tree.includes([...id].join(' ')), tree);
    assert.ok(!tree.includes(code), tree);
    const timer = page.getByRole('timer');
    assert.equal(await timer.getAttribute('aria-live'), 'off');
    assert.equal(await page.locator('#said').innerText(), '');
    const speak = page.getByRole('button', { name: 'コードと残り時間を読み上げる' });
    await speak.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText(/あと \d+ 秒/).waitFor();
    await context.close();
  });

  test('the code is hidden and shown by a tap, and stays hidden over a restart', async () => {
    const { context, page } = await open(PHONE);
    const { code } = await firstStart(page, server.origin);
    await page.locator('#code').click();
    await page.getByRole('button', { name: '表示する' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: '表示する' }).waitFor();
    assert.ok(!(await page.locator('main').innerText()).includes(code));
    assert.equal(await page.locator('#code .spoken').count(), 0);
    await assertAccessible(page);
    await press(page, '表示する');
    await shownToken(page);
    await context.close();
  });

  test('a removal asks first, says what to do at the bank, and makes no new token by itself', async () => {
    const { context, page } = await open(PC);
    const { id } = await firstStart(page, server.origin);
    await page.getByRole('link', { name: 'トークンの削除' }).click();
    await page.getByText('先に銀行の画面で「トークンの変更」').waitFor();
    await assertAccessible(page);
    await press(page, '削除する');
    await page.getByRole('alert').getByText('チェックを入れてください').waitFor();
    await page.getByRole('link', { name: '削除しない' }).click();
    assert.equal((await shownToken(page)).id, id);
    await page.getByRole('link', { name: 'トークンの削除' }).click();
    await page.getByRole('checkbox').check();
    await press(page, '削除する');
    await page.locator('#removed').waitFor();
    await assertAccessible(page);
    const left = await page.evaluate(() => [localStorage.getItem('warifu-token-id'), document.cookie]);
    assert.deepEqual(left, [null, '']);
    await press(page, '新しいトークンを作る');
    await press(page, 'OK');
    assert.notEqual((await shownToken(page)).id, id);
    await context.close();
  });

  test('a token that another tab removed is no longer shown', async () => {
    const { context, page } = await open(PC);
    await page.clock.install({ time: Date.now() });
    await firstStart(page, server.origin);
    const other = await context.newPage();
    await other.goto(`${server.origin}/token/#remove`);
    await other.getByRole('checkbox').check();
    await press(other, '削除する');
    await other.locator('#removed').waitFor();
    await page.clock.runFor(6_000);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('#removed').waitFor();
    await context.close();
  });

  test('the health page says keys, storage, clock, contact and version', async () => {
    const { context, page } = await open(PHONE);
    await firstStart(page, server.origin);
    await keptOffline(page);
    await page.getByRole('link', { name: '状態の確認' }).click();
    const list = page.locator('#health-list');
    await list.getByText('取り出せない形').waitFor();
    const said = await list.innerText();
    for (const line of ['保護されて', '正常', '最終確認', '準備できています']) assert.ok(said.includes(line), said);
    const version = await page.locator('meta[name="warifu-version"]').getAttribute('content');
    assert.match(version, /^[0-9a-f]{12}$/);
    assert.ok(said.includes(version));
    await assertAccessible(page);
    await page.goBack();
    await shownToken(page);
    await context.close();
  });

  test('a newer version takes over from an older worker, whole, and the token stays', async () => {
    const proxy = await startProxy(server);
    proxy.plain = true;
    // An older version, as the worker sees it: another name, another page and its hash.
    const older = (path, body) => {
      if (path === '/token/') return body.replace(/content="[0-9a-f]{12}"/, 'content="older-version"');
      if (path !== '/token/worker.js') return undefined;
      return body
        .replace(/version: '[0-9a-f]{12}'/, "version: 'older-version'")
        .replace(/'.\/': 'sha256-[^']+'/, "'./': ''");
    };
    proxy.change = older;
    const { context, page } = await openPage(browser, proxy.origin, PC);
    const { id } = await firstStart(page, proxy.origin);
    await keptOffline(page);
    const version = () => page.locator('meta[name="warifu-version"]').getAttribute('content');
    const caches = () => page.evaluate(() => globalThis.caches.keys());
    assert.deepEqual(await caches(), ['warifu-token-older-version']);
    await page.reload();
    assert.equal(await version(), 'older-version');
    // A version whose files do not fit together is not taken: the old one stays whole.
    proxy.change = (path, body) => {
      if (path === '/token/totp.js') return `${body}\n// another version`;
      return path === '/token/worker.js' ? body : undefined;
    };
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      const worker = registration.installing;
      if (!worker || worker.state === 'redundant') return;
      await new Promise((resolve) => {
        worker.addEventListener('statechange', () => worker.state === 'redundant' && resolve());
      });
    });
    await page.reload();
    assert.equal(await version(), 'older-version');
    // The new version, as the server has it.
    proxy.change = () => undefined;
    await page.evaluate(async () => {
      const changed = new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve);
      });
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      await changed;
    });
    await page.waitForFunction(async () => (await globalThis.caches.keys()).length === 1);
    await page.reload();
    assert.match(await version(), /^[0-9a-f]{12}$/);
    assert.equal((await shownToken(page)).id, id);
    assert.deepEqual(await caches(), [`warifu-token-${await version()}`]);
    await context.close();
    proxy.stop();
  });

  test('the worker keeps no answer of the service', async () => {
    const { context, page } = await open(PC);
    await firstStart(page, server.origin);
    await keptOffline(page);
    await page.reload();
    await shownToken(page);
    const kept = await page.evaluate(async () => {
      const found = [];
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        found.push(...(await cache.keys()).map(({ url }) => new URL(url).pathname));
      }
      return found;
    });
    assert.ok(kept.includes('/token/') && kept.includes('/token/main.js'));
    assert.ok(kept.every((path) => path.startsWith('/token/')), kept.join(' '));
    await context.close();
  });

  test('where the browser offers to install it, a button does', async () => {
    const { context, page } = await open(PC);
    await firstStart(page, server.origin);
    assert.equal(await page.locator('#install').isVisible(), false);
    await page.evaluate(() => {
      const offer = new Event('beforeinstallprompt', { cancelable: true });
      offer.prompt = async () => {
        globalThis.prompted = true;
      };
      dispatchEvent(offer);
    });
    await press(page, 'アプリとしてインストール');
    assert.equal(await page.evaluate(() => globalThis.prompted), true);
    await context.close();
  });

  test('the manifest names icons that are there', async () => {
    const { context, page } = await open(PC);
    await page.goto(`${server.origin}/token/`);
    const debug = await context.newCDPSession(page);
    const { errors, data } = await debug.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const { icons, scope, start_url: start } = JSON.parse(data);
    assert.deepEqual([scope, start], ['./', './']);
    for (const { src, type, sizes } of icons) {
      const response = await fetch(`${server.origin}/token/${src}`);
      assert.equal(response.headers.get('content-type'), type);
      if (type !== 'image/png') continue;
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes, src);
    }
    const { installabilityErrors } = await debug.send('Page.getInstallabilityErrors');
    assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
    await context.close();
  });

  test('with a lock the codes need the authenticator, and what is stored makes none without it', async () => {
    const local = server.origin.replace('127.0.0.1', 'localhost');
    const { context, page } = await openPage(browser, local, PC);
    const debug = await context.newCDPSession(page);
    await debug.send('WebAuthn.enable');
    const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        hasPrf: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const { id } = await firstStart(page, local);
    const record = () =>
      page.evaluate(
        () =>
          new Promise((resolve) => {
            indexedDB.open('warifu-token').onsuccess = ({ target }) => {
              const store = target.result.transaction('token').objectStore('token');
              store.get('only').onsuccess = (read) => {
                const { servicePublicKey, lock } = read.target.result;
                target.result.close();
                resolve({ servicePublicKey: servicePublicKey && [...servicePublicKey], lock });
              };
            };
          }),
      );
    const open = await record();
    assert.equal(open.servicePublicKey.length, 32);
    await page.getByRole('link', { name: '状態の確認' }).click();
    await press(page, 'ロックする');
    await page.getByRole('status').getByText('ロックしました').waitFor();
    await assertAccessible(page);
    const sealed = await record();
    assert.equal(sealed.servicePublicKey, null);
    assert.ok(sealed.lock);
    await page.goto(`${local}/token/`);
    await page.locator('#locked').waitFor();
    await assertAccessible(page);
    await press(page, 'ロックを解除する');
    const token = await shownToken(page);
    assert.equal(token.id, id);
    assert.equal(await validate(server, await newParty(server), token), 'accepted');
    // Out of sight for more than a minute: locked again.
    await page.evaluate(() => {
      let hidden = true;
      Object.defineProperty(document, 'hidden', { get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
      const real = performance.now.bind(performance);
      performance.now = () => real() + 61_000;
      hidden = false;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.locator('#locked').waitFor();
    assert.equal(await page.locator('#code').textContent(), '');
    await press(page, 'ロックを解除する');
    await shownToken(page);
    await page.getByRole('link', { name: '状態の確認' }).click();
    await press(page, 'ロックをやめる');
    await page.getByRole('status').getByText('ロックをやめました').waitFor();
    assert.deepEqual(await record(), { ...open, lock: null });
    // Locked again, and not the owner: nothing is shown.
    await press(page, 'ロックする');
    await page.getByRole('status').getByText('ロックしました').waitFor();
    await debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.reload();
    await press(page, 'ロックを解除する');
    await page.getByRole('status').getByText('解除できませんでした').waitFor();
    assert.equal(await page.locator('#token').isVisible(), false);
    await context.close();
  });

  test('a device whose authenticator has no PRF is told, and the token stays open', async () => {
    const local = server.origin.replace('127.0.0.1', 'localhost');
    const { context, page } = await openPage(browser, local, PC);
    const debug = await context.newCDPSession(page);
    await debug.send('WebAuthn.enable');
    await debug.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const { id } = await firstStart(page, local);
    await page.getByRole('link', { name: '状態の確認' }).click();
    await press(page, 'ロックする');
    await page.getByRole('status').getByText('対応していません').waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'もどる' }).click();
    assert.equal((await shownToken(page)).id, id);
    await context.close();
  });

  test('a clock before 1970 shows no code and says why', async () => {
    const { context, page } = await open(PC, PLAYED);
    await clockOff(context, -Date.now() - 86_400_000);
    await playService(context, { now: () => -86_400_000 });
    await page.goto(`${server.origin}/token/`);
    await page.locator('#failed, #welcome').filter({ visible: true }).waitFor();
    if (await page.locator('#welcome').isVisible()) await press(page, 'OK');
    await page.getByText('1970年より前').waitFor();
    assert.equal(await page.locator('#code').innerText(), '');
    await context.close();
  });
});
