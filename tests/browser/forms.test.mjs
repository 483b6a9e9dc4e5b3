// What a form says of bad input, and what it keeps of it; books and lists. On a PC's and a phone's width.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './browser.mjs';
import { CODE, Customer, HANAKO } from './customer.mjs';
import { startServer } from './server.mjs';
import { newToken } from './token.mjs';

const LOOKS = [
  { width: 1280, colorScheme: 'light' },
  { width: 360, colorScheme: 'light' },
];

describe('forms', () => {
  let browser;
  let server;
  let customer;

  before(async () => {
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
  });

  function story(name, run) {
    for (const look of LOOKS) {
      test(`${name}, ${look.width} wide`, async () => {
        server = await startServer({ clocked: true });
        try {
          customer = await Customer.registered(browser, server, look);
          await run(look);
          const unwanted = customer.complaints.filter((one) => !refusal(one));
          assert.deepEqual(unwanted, []);
        } finally {
          await customer?.context.close();
          await server.stop();
        }
      });
    }
  }

  /** These stories are of refusals: the browser tells of each page that has one. */
  const refusal = (complaint) => /^422 for |status of 422/.test(complaint);

  const transfer = async (fields) => {
    for (const [label, value] of Object.entries(fields)) await customer.fill(label, value);
    await customer.press('次へ');
  };

  story('an empty login says which fields are missing, and keeps the ID', async () => {
    await customer.goto(server.bank);
    await customer.press('ログイン');
    await customer.says('契約者IDを入力してください');
    await customer.says('ログインパスワードを入力してください');
    await customer.fill('契約者ID（利用者番号）', HANAKO.id);
    await customer.press('ログイン');
    await customer.says('ログインパスワードを入力してください');
    assert.equal(await customer.value('契約者ID（利用者番号）'), HANAKO.id);
    await customer.idAndPassword('ログイン', { id: HANAKO.id, password: 'not-the-password' });
    assert.equal(await customer.value('ログインパスワード'), '');
    await customer.looks();
  });

  story('a transfer form says what is wrong in each field, and keeps what was typed', async () => {
    await customer.logIn();
    await customer.follow('振込');
    const bad = {
      金融機関コード: '9990',
      支店コード: '001',
      口座番号: '12345678',
      '受取人名（カナ）': '見本',
      金額: '1.5',
    };
    await transfer(bad);
    await customer.says('この金融機関コードはありません');
    await customer.says('「見」は使えません');
    for (const [label, typed] of Object.entries(bad)) {
      assert.equal(await customer.value(label), typed, label);
    }
    await customer.looks();
    await transfer({ 金融機関コード: '0001', 支店コード: '999', '受取人名（カナ）': 'ミホンガ'.repeat(8) });
    await customer.says('この支店コードはありません');
    await customer.says('30文字以内にしてください（現在40文字）');
    await transfer({ 支店コード: '001', 口座番号: '1234567', '受取人名（カナ）': 'ﾐﾎﾝ', 金額: '１，０００' });
    await customer.says('1,165円');
    // A code that is no code costs none.
    await customer.fill(CODE, '12345');
    await customer.press('実行');
    await customer.says('6桁');
    await customer.confirm('実行');
    await customer.says('お振込を受け付け、振り込みました');
  });

  story('a payee is remembered, used again and removed', async () => {
    await customer.logIn();
    await customer.follow('振込');
    await customer.page.getByLabel('この振込先を登録する').check();
    const payee = { 金融機関コード: '0001', 支店コード: '001', 口座番号: '7654321' };
    await transfer({ ...payee, '受取人名（カナ）': 'ミホンショウジ', 金額: '1000' });
    await customer.confirm('実行');
    await customer.follow('振込');
    const book = customer.page.getByLabel('登録済みの振込先');
    await book.selectOption({ index: 1 });
    await transfer({ 金額: '2000' });
    await customer.says('7654321');
    await customer.says('2,165円');
    await customer.confirm('実行');
    await customer.follow('契約者情報変更');
    await customer.follow('登録済みの振込先');
    await customer.says('7654321');
    await customer.looks();
    await customer.press('削除');
    await customer.says('登録済みの振込先はありません');
  });

  story('an open session elsewhere is listed and ended', async (look) => {
    await customer.logIn();
    const other = await Customer.at(browser, server, server.bank, look);
    await other.goto(server.bank);
    await other.idAndPassword('ログイン');
    assert.equal(await other.page.getByLabel(CODE, { exact: true }).count(), 1);
    await customer.follow('契約者情報変更');
    await customer.follow('ログイン中の端末');
    await customer.says('この画面');
    await customer.looks();
    // That of the registration's wizard is open as well.
    const others = customer.page.getByRole('button', { name: '終了させる' });
    assert.equal(await others.count(), 2);
    for (const left of [1, 0]) {
      await others.first().click();
      await customer.page.waitForLoadState();
      assert.equal(await others.count(), left);
    }
    await other.goto(`${server.bank}/login/code`);
    assert.equal(await other.heading(), 'ログイン');
    await other.context.close();
  });

  story('the statement is searched by day and by text, and pages back', async () => {
    await customer.logIn();
    for (let number = 0; number < 3; number += 1) {
      await customer.follow('振替');
      await customer.fill('金額', String(1000 + number));
      await customer.press('次へ');
      await customer.press('実行');
    }
    await customer.goto(`${server.bank}/accounts/10111234567`);
    await customer.fill('摘要に含まれる文字', '振替');
    await customer.press('検索');
    await customer.says('1,002円');
    assert.equal(await customer.page.locator('tbody tr').count(), 3);
    const now = (await (await fetch(`${server.origin}/v1/time`)).json()).service_time;
    const day = (offset) =>
      new Date(Date.parse(now) + (9 + 24 * offset) * 3600 * 1000).toISOString().slice(0, 10);
    await customer.fill('開始日', day(-30));
    await customer.fill('終了日', day(-1));
    await customer.press('検索');
    await customer.says('該当する明細はありません');
    await customer.fill('開始日', day(0));
    await customer.fill('終了日', day(0));
    await customer.press('検索');
    assert.equal(await customer.page.locator('tbody tr').count(), 3);
    await customer.looks();
    await customer.goto(`${server.bank}/accounts/10111234567?from=yesterday`);
    await customer.says('日付を正しく入力してください');
  });

  story('a token of another contract is refused before its code is spent', async () => {
    const token = await newToken(server.origin);
    await customer.goto(`${server.bank}/registration`);
    await customer.idAndPassword('次へ', { id: '10000000002', password: 'mihon-tarou-no-kagi' });
    await customer.fill('トークンID', customer.token.id);
    await customer.fill(CODE, await customer.token.code());
    await customer.press('登録');
    await customer.says('別のご契約で登録されています');
    assert.equal(await customer.value(CODE), '');
    await customer.fill('トークンID', token.id);
    await customer.fill(CODE, await token.code());
    await customer.press('登録');
    await customer.says('利用登録が完了しました');
    // The other's code was not spent.
    await customer.goto(server.bank);
    await customer.idAndPassword('ログイン');
    await customer.confirm('確認');
    assert.equal(await customer.heading(), 'トップページ');
  });
});
