// Every page in every look: PC and phone, light and dark, Japanese and English.

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
import { newToken } from './token.mjs';

const GUEST = ['/', '/registration', '/token-change', '/stop-use', '/loss', '/guide', '/nowhere'];
const CUSTOMER = [
  '/top',
  '/accounts/10111234567',
  '/transfer',
  '/transfers',
  '/internal-transfer',
  '/limit',
  '/banks?q=みずほ',
  '/payees',
  '/profile',
  '/profile/login-setting',
  '/profile/password',
  '/profile/mail',
  '/profile/history',
  '/profile/sessions',
  '/profile/emergency-stop',
];
const STAFF = ['/?q=10000000001', '/contracts/new', '/contracts/10000000001', '/approvals', '/mails'];

describe('every page in every look', () => {
  let server;
  let browser;
  let customer;
  let staff;

  before(async () => {
    server = await startServer({ clocked: true });
    browser = await launch();
    const token = await newToken(server.origin);
    customer = await openPage(browser, server.bank, LOOKS[0]);
    await signIn(customer.page, token);
    staff = await openPage(browser, server.staff, LOOKS[0]);
    await signStaffIn(staff.page, await newToken(server.origin));
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const fill = (page, label, value) => page.getByLabel(label, { exact: true }).fill(value);
  const press = async (page, name) => {
    await page.getByRole('button', { name, exact: true }).click();
    await page.waitForLoadState();
  };

  async function idAndPassword(page, button) {
    await fill(page, '契約者ID（利用者番号）', '10000000001');
    await fill(page, 'ログインパスワード', 'mihon-hanako-no-kagi');
    await press(page, button);
  }

  /** Registers a token, logs in, and leaves a dated transfer, a payee and some notices. */
  async function signIn(page, token) {
    await page.goto(`${server.bank}/registration`);
    await idAndPassword(page, '次へ');
    await fill(page, 'トークンID', token.id);
    await fill(page, 'ワンタイムパスワード', await token.code());
    await press(page, '登録');
    await server.advance(30);
    await page.goto(server.bank);
    await idAndPassword(page, 'ログイン');
    await fill(page, 'ワンタイムパスワード', await token.code());
    await press(page, '確認');
    await server.advance(30);
    await page.goto(`${server.bank}/transfer`);
    await fill(page, '金融機関コード', '0001');
    await fill(page, '支店コード', '001');
    await fill(page, '口座番号', '1234567');
    await fill(page, '受取人名（カナ）', 'ミホン タロウ');
    await fill(page, '金額', '12,000');
    const day = new Date(Date.now() + 5 * 24 * 3600 * 1000).toISOString().slice(0, 10);
    await fill(page, '振込指定日', day);
    await page.getByLabel('この振込先を登録する').check();
    await press(page, '次へ');
    await fill(page, 'ワンタイムパスワード', await token.code());
    await press(page, '実行');
    assert.match(await page.locator('main').innerText(), /予約振込を受け付けました/);
  }

  async function signStaffIn(page, token) {
    await page.goto(`${server.staff}/login`);
    await fill(page, '担当者名', 'teller');
    await fill(page, 'ログインパスワード', 'mihon-madoguchi-no-kagi');
    await press(page, '次へ');
    await fill(page, 'トークンID', token.id);
    await fill(page, 'ワンタイムパスワード', await token.code());
    await press(page, '確認');
  }

  async function look(opened, origin, paths, { width, colorScheme }, language, who) {
    const { page, complaints } = opened;
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.goto(`${origin}/language/${language}?back=/`);
    for (const path of paths) {
      complaints.length = 0;
      await page.goto(origin + path, { waitUntil: 'load' });
      const at = `${who} ${path}`;
      assert.equal(await page.locator('html').getAttribute('lang'), language, at);
      assert.equal(await page.locator('h1').count(), 1, at);
      await assertNoSidewaysScroll(page);
      await assertAccessible(page);
      assert.deepEqual(complaints.filter((said) => path !== '/nowhere' || !said.includes('404')), [], at);
      const name = path.replaceAll(/[^a-z0-9]+/g, '-');
      await screenshot(page, `${who}${name}-${width}-${colorScheme}-${language}`);
    }
  }

  for (const one of LOOKS) {
    for (const language of ['ja', 'en']) {
      test(`every page, ${one.width}-${one.colorScheme}-${language}`, async () => {
        const guest = await openPage(browser, server.bank, one);
        await look(guest, server.bank, GUEST, one, language, 'guest');
        await guest.context.close();
        await look(customer, server.bank, CUSTOMER, one, language, 'customer');
        await look(staff, server.staff, STAFF, one, language, 'staff');
      });
    }
  }
});
