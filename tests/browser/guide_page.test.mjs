// The bank's page about the token, and the advice where both are in one browser (rules T4, T7).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LOOKS, launch, screenshot } from './browser.mjs';
import { CODE, Customer } from './customer.mjs';
import { startServer } from './server.mjs';
import { firstStart } from './token_app.mjs';

const ADVICE = 'このブラウザーでトークンを開いたことがあります';

describe('the token and the bank in one browser', () => {
  let browser;
  let server;

  before(async () => {
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
  });

  for (const look of LOOKS) {
    test(`the bank advises another device and goes on, ${look.width} wide, ${look.colorScheme}`, async () => {
      server = await startServer({ clocked: true });
      const customer = await Customer.at(browser, server, server.bank, look);
      try {
        await customer.goto(`${server.bank}/guide`);
        await customer.looks();
        for (const device of ['iPhone', 'Android', 'パソコン', 'フィーチャーフォン', '紛失・盗難']) {
          await customer.says(device);
        }
        await customer.says(`${server.origin}/token/`);
        await screenshot(customer.page, `guide-ja-${look.width}-${look.colorScheme}`);
        assert.equal(await customer.page.getByRole('button', { name: 'トークンは別の端末' }).count(), 0);
        await customer.follow('このブラウザーでトークンを開く');
        assert.equal(new URL(customer.page.url()).origin, server.origin);
        const token = await firstStart(customer.page, server.origin);
        await customer.goto(`${server.bank}/registration`);
        await customer.idAndPassword('次へ');
        await customer.says(ADVICE);
        await customer.looks();
        await screenshot(customer.page, `token-here-ja-${look.width}-${look.colorScheme}`);
        await customer.fill('トークンID', token.id);
        await customer.fill(CODE, token.code);
        await customer.press('登録');
        await customer.says('利用登録が完了しました');
        await server.advance(30);
        await customer.goto(server.bank);
        await customer.idAndPassword('ログイン');
        await customer.says(ADVICE);
        // He says that the token is elsewhere: the bank believes him.
        await customer.goto(`${server.bank}/guide`);
        await customer.press('トークンは別の端末で使っている');
        await customer.goto(`${server.bank}/login/code`);
        const said = await customer.page.locator('main').innerText();
        assert.ok(!said.includes(ADVICE), said);
      } finally {
        await customer.context.close();
        await server.stop();
      }
    });
  }

  test('a browser in which no token was opened is told nothing', async () => {
    server = await startServer({ clocked: true });
    try {
      const customer = await Customer.registered(browser, server, LOOKS[0]);
      await customer.goto(server.bank);
      await customer.idAndPassword('ログイン');
      const said = await customer.page.locator('main').innerText();
      assert.ok(!said.includes(ADVICE), said);
      await customer.context.close();
    } finally {
      await server.stop();
    }
  });
});
