// The page on which a developer reads what the token service's API offers.

import assert from 'node:assert/strict';
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
    test(`the API page lists every path, ${look.width} px, ${look.colorScheme}`, async () => {
      const { context, page, complaints } = await openPage(browser, server.origin, look);
      const response = await page.goto(`${server.origin}/v1/`, { waitUntil: 'networkidle' });
      assert.equal(response.status(), 200);
      const text = await page.evaluate(() => document.body.innerText);
      const missing = Object.keys(api.paths).filter((path) => !text.includes(path));
      assert.deepEqual(missing, []);
      await screenshot(page, `api-${look.width}-${look.colorScheme}`);
      await assertNoSidewaysScroll(page);
      await assertAccessible(page);
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }

  test('the API page can be read without scripts', async () => {
    const [look] = LOOKS;
    const options = { javaScriptEnabled: false };
    const { context, page } = await openPage(browser, server.origin, look, options);
    await page.goto(`${server.origin}/v1/`);
    const text = await page.locator('body').innerText();
    const missing = Object.keys(api.paths).filter((path) => !text.includes(path));
    assert.deepEqual(missing, []);
    await context.close();
  });
});
