// The bank while its token service is away: it says so in words, nothing is consumed, and it goes on afterwards.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LOOKS, launch, screenshot } from './browser.mjs';
import { CODE, Customer } from './customer.mjs';
import { startServer } from './server.mjs';

const WORDS = {
  ja: {
    execute: '実行',
    away: 'ただいまワンタイムパスワードを確認できません',
    back: '同じ画面に戻る',
    done: '予約振込を受け付けました',
  },
  en: {
    execute: 'Execute',
    away: 'One-time passwords cannot be checked at the moment',
    back: 'Back to the same page',
    done: 'The dated transfer has been accepted',
  },
};

describe('the bank without its token service', () => {
  let server;
  let browser;
  let customer;

  before(async () => {
    server = await startServer({ clocked: true, apart: true });
    browser = await launch();
    customer = await Customer.registered(browser, server, LOOKS[0]);
    await customer.logIn();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A transfer up to the page that asks for the code. */
  async function order() {
    await customer.goto(`${server.bank}/transfer`);
    await customer.fill('金融機関コード', '0001');
    await customer.fill('支店コード', '001');
    await customer.fill('口座番号', '1234567');
    await customer.fill('受取人名（カナ）', 'ミホン タロウ');
    await customer.fill('金額', '12,000');
    const day = new Date(Date.now() + 5 * 24 * 3600 * 1000).toISOString().slice(0, 10);
    await customer.fill('振込指定日', day);
    await customer.press('次へ');
    return new URL(customer.page.url()).pathname;
  }

  async function execute(code, { execute: name }) {
    await customer.page.locator('input[name=code]').fill(code);
    await customer.press(name);
    await server.advance(30);
  }

  for (const [language, words] of Object.entries(WORDS)) {
    test(`says so, consumes nothing and takes the same page's next code later, ${language}`, async () => {
      const { page } = customer;
      await customer.goto(`${server.bank}/language/ja?back=/`);
      const confirm = await order();
      await customer.goto(`${server.bank}/language/${language}?back=${confirm}`);
      const code = await customer.token.code();
      await server.tokens.stop();
      await execute(code, words);
      assert.equal(await customer.heading(), words.away);
      for (const { width, colorScheme } of LOOKS) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await customer.looks();
        await screenshot(page, `away-${width}-${colorScheme}-${language}`);
      }
      await customer.follow(words.back);
      assert.equal(new URL(page.url()).pathname, confirm);
      // What asks for no code goes on.
      await customer.goto(`${server.bank}/transfers`);
      assert.equal(await page.locator('h1').count(), 1);
      await server.tokens.start();
      await customer.goto(server.bank + confirm);
      await execute(await customer.token.code(), words);
      await customer.says(words.done);
    });
  }

  test('and nobody logs in with a code meanwhile, but for nothing', async () => {
    const code = await customer.token.code();
    await server.tokens.stop();
    const late = await Customer.at(browser, server, server.bank, LOOKS[0]);
    await late.goto(server.bank);
    await late.idAndPassword('ログイン');
    await late.fill(CODE, code);
    await late.press('確認');
    await server.advance(30);
    assert.equal(await late.heading(), WORDS.ja.away);
    await server.tokens.start();
    await late.goto(server.bank);
    await late.idAndPassword('ログイン');
    await late.fill(CODE, await customer.token.code());
    await late.press('確認');
    assert.equal(await late.heading(), 'トップページ');
  });
});
