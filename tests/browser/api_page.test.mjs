// The page on which a developer reads what the token service's API offers.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  LOOKS,
  assertAccessible,
  assertNoSidewaysScroll,
  launch,
  openPage,
  screenshot,
} from './browser.mjs';
import { startServer } from './server.mjs';

const LANGUAGES = [
  { language: 'ja', title: 'トークンサービス API', other: 'English' },
  { language: 'en', title: 'Token service API', other: '日本語' },
];

describe('the API page', () => {
  let server;
  let browser;
  let api;

  before(async () => {
    server = await startServer();
    browser = await launch();
    api = await (await fetch(`${server.origin}/v1/openapi.json`)).json();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('the API description names paths', () => {
    assert.ok(Object.keys(api.paths).length > 0);
  });

  for (const look of LOOKS) {
    for (const { language, title } of LANGUAGES) {
      const name = `${look.width}-${look.colorScheme}-${language}`;
      test(`the API page lists every path, ${name}`, async () => {
        const { context, page, complaints } = await openPage(browser, server.origin, look);
        const address = `${server.origin}/v1/?lang=${language}`;
        const response = await page.goto(address, { waitUntil: 'networkidle' });
        assert.equal(response.status(), 200);
        const text = await page.evaluate(() => document.body.innerText);
        const missing = Object.keys(api.paths).filter((path) => !text.includes(path));
        assert.deepEqual(missing, []);
        assert.equal(await page.locator('h1').innerText(), title);
        assert.equal(await page.locator('html').getAttribute('lang'), language);
        await screenshot(page, `api-${name}`);
        await assertNoSidewaysScroll(page);
        await assertAccessible(page);
        // What is folded away is held to the same.
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        await assertNoSidewaysScroll(page);
        await assertAccessible(page);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }
  }

  test('the API page can be read without scripts, and every link of it leads somewhere', async () => {
    const [look] = LOOKS;
    const options = { javaScriptEnabled: false };
    const { context, page, complaints } = await openPage(browser, server.origin, look, options);
    await page.goto(`${server.origin}/v1/`);
    const text = await page.locator('body').innerText();
    const missing = Object.keys(api.paths).filter((path) => !text.includes(path));
    assert.deepEqual(missing, []);
    const html = await page.content();
    const targets = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, target]) => target);
    assert.ok(targets.length > 10);
    for (const target of new Set(targets)) {
      if (target.startsWith('#')) {
        assert.ok(html.includes(` id="${target.slice(1)}"`), target);
      } else {
        const { status } = await fetch(new URL(target, `${server.origin}/v1/`));
        assert.equal(status, 200, target);
      }
    }
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('the browser chooses the language, and a link the other one', async () => {
    for (const [index, { language, title, other }] of LANGUAGES.entries()) {
      const options = { locale: language };
      const { context, page } = await openPage(browser, server.origin, LOOKS[0], options);
      await page.goto(`${server.origin}/v1/`);
      assert.equal(await page.locator('h1').innerText(), title);
      await page.getByRole('link', { name: other, exact: true }).click();
      assert.equal(await page.locator('h1').innerText(), LANGUAGES[1 - index].title);
      await context.close();
    }
  });

  test('the keyboard reaches the content first', async () => {
    const { context, page } = await openPage(browser, server.origin, LOOKS[0]);
    await page.goto(`${server.origin}/v1/`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
    await context.close();
  });

  test('a browser may keep the style sheet and the mark', async () => {
    const html = await (await fetch(`${server.origin}/v1/`)).text();
    const assets = new Set(html.match(/\/assets\/[^"]+/g));
    assert.equal(assets.size, 2);
    for (const asset of assets) {
      const { headers } = await fetch(server.origin + asset);
      assert.match(headers.get('cache-control'), /immutable/, asset);
    }
    assert.equal((await fetch(`${server.origin}/assets/api.css`)).status, 404);
  });

  test('every example of the page works as it stands', async () => {
    const key = (await server.run('relying-party', 'add', 'example')).match(/\S{20,}/)[0];
    const { context, page } = await openPage(browser, server.origin, LOOKS[0]);
    await page.goto(`${server.origin}/v1/`);
    const examples = await page.locator('.operation pre code').allTextContents();
    const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods));
    assert.equal(examples.length, operations.length);
    const environment = { ...process.env, BASE: server.origin, API_KEY: key };
    for (const example of examples) {
      const command = `${example} \\\n  --silent --noproxy '*' --write-out ' %{http_code}'`;
      const { stdout } = await promisify(execFile)('sh', ['-c', command], { env: environment });
      // The credential of the examples is nobody's: to say so, the service has read everything else.
      assert.match(stdout, /unknown-credential.* 404$|\} 20[01]$/, example);
    }
    await context.close();
  });
});
