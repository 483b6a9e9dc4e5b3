// How the web token and its guide look and are read: every screen, PC and phone, light and dark, Japanese and English.

import assert from 'node:assert/strict';
import { request } from 'node:http';
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
import { firstStart, playService, shownToken } from './token_app.mjs';

const LANGUAGES = ['ja', 'en'];
const START = Date.parse('2026-04-01T00:00:22Z');

describe('the looks of the web token', () => {
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

  async function held(page, name) {
    await screenshot(page, `token-${name}`);
    await assertNoSidewaysScroll(page);
    await assertAccessible(page);
  }

  for (const look of LOOKS) {
    for (const locale of LANGUAGES) {
      const name = `${look.width}-${look.colorScheme}-${locale}`;
      test(`every screen of the token can be used by everyone, ${name}`, async () => {
        const options = { locale, serviceWorkers: 'block', reducedMotion: 'reduce' };
        const { context, page, complaints } = await openPage(browser, server.origin, look, options);
        await playService(context, { now: () => START });
        await page.clock.setFixedTime(START);
        await page.goto(`${server.origin}/token/`);
        await page.locator('#welcome').waitFor();
        assert.equal(await page.locator('html').getAttribute('lang'), locale);
        await held(page, `welcome-${name}`);
        await page.locator('#ok').click();
        await shownToken(page);
        await page.locator('#next.soon').waitFor();
        await held(page, `main-${name}`);
        for (const screen of ['health', 'remove']) {
          await page.evaluate((hash) => (location.hash = hash), screen);
          await page.locator(`#${screen}`).waitFor();
          await held(page, `${screen}-${name}`);
        }
        const own = complaints.filter((complaint) => !complaint.includes('blocked by Playwright'));
        assert.deepEqual(own, []);
        await context.close();
      });

      test(`the guide of the token can be read by everyone, ${name}`, async () => {
        const options = { locale };
        const { context, page, complaints } = await openPage(browser, server.origin, look, options);
        await page.goto(`${server.origin}/guide`);
        assert.equal(await page.locator('html').getAttribute('lang'), locale);
        await held(page, `guide-${name}`);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }
  }

  test('with text twice as large nothing is cut off', async () => {
    const look = { width: 360, colorScheme: 'light' };
    const { context, page } = await openPage(browser, server.origin, look);
    await page.addInitScript(() => {
      addEventListener('DOMContentLoaded', () => {
        document.documentElement.style.fontSize = '200%';
      });
    });
    await firstStart(page, server.origin);
    await screenshot(page, 'token-large-text');
    await assertNoSidewaysScroll(page);
    const box = await page.locator('#code').boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= look.width, JSON.stringify(box));
    await context.close();
  });

  test('the ring is a number alone under reduced motion', async () => {
    for (const reducedMotion of ['no-preference', 'reduce']) {
      const options = { reducedMotion };
      const { context, page } = await openPage(browser, server.origin, LOOKS[0], options);
      await firstStart(page, server.origin);
      assert.equal(await page.locator('.ring').isVisible(), reducedMotion === 'no-preference');
      assert.match(await page.locator('#seconds').innerText(), /^あと \d+ 秒$/);
      await context.close();
    }
  });

  test('the language is the browser\'s until the customer changes it, and then stays', async () => {
    const { context, page } = await openPage(browser, server.origin, LOOKS[0], { locale: 'en-GB' });
    await firstStart(page, server.origin);
    await page.getByRole('heading', { name: 'Security code' }).waitFor();
    await page.getByRole('button', { name: '日本語' }).click();
    await page.getByRole('heading', { name: 'セキュリティコード' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'セキュリティコード' }).waitFor();
    await page.getByRole('link', { name: 'トークンのご案内' }).click();
    await page.waitForURL('**/guide?lang=ja');
    await context.close();
  });

  test('the guide can be read without scripts, and every link of it leads somewhere', async () => {
    const options = { javaScriptEnabled: false };
    const { context, page } = await openPage(browser, server.origin, LOOKS[0], options);
    const response = await page.goto(`${server.origin}/`);
    assert.ok(page.url().endsWith('/guide'));
    assert.ok(response.headers()['content-security-policy'].startsWith("default-src 'none'"));
    for (const word of ['iPhone・iPad', 'Android', 'パソコン', 'フィーチャーフォン', '機種を変えるとき', '盗まれた']) {
      await page.getByText(word).first().waitFor();
    }
    const html = await page.content();
    const targets = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, target]) => target);
    assert.ok(targets.length > 5);
    for (const target of targets) {
      if (target.startsWith('#')) {
        assert.ok(html.includes(` id="${target.slice(1)}"`), target);
      } else {
        const { status } = await fetch(new URL(target, `${server.origin}/guide`));
        assert.equal(status, 200, target);
      }
    }
    await context.close();
  });

  test('the guide shows a QR code where a phone can reach the address, and says so where not', async () => {
    const { port } = new URL(server.origin);
    const guide = (host) =>
      new Promise((resolve, reject) => {
        const headers = { Host: host, 'Accept-Language': 'ja' };
        request({ port, host: '127.0.0.1', path: '/guide', headers }, async (answer) => {
          let text = '';
          for await (const chunk of answer) text += chunk;
          resolve(text);
        })
          .on('error', reject)
          .end();
      });
    const reachable = await guide('token.example.co.jp');
    assert.ok(reachable.includes('href="https://token.example.co.jp/token/"'));
    assert.match(reachable, /<svg class="qr" role="img" aria-label="[^"]+" viewBox="0 0 (\d+) \1"/);
    const local = await guide(`127.0.0.1:${port}`);
    assert.ok(!local.includes('<svg'));
    assert.ok(local.includes('この端末の中だけのアドレス'));
    const odd = await guide('"><script>');
    assert.ok(!odd.includes('<script'));
  });
});
