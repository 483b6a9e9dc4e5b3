// The whole guide, as a customer and the staff live it: pages alone, with the codes of tokens.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './browser.mjs';
import { Person } from './person.mjs';
import { startServer } from './server.mjs';
import { newToken } from './token.mjs';
import { webToken } from './token_app.mjs';

const CUSTOMER = { id: '10000000001', password: 'mihon-hanako-no-kagi' };
const TELLER = { name: 'teller', password: 'mihon-madoguchi-no-kagi' };
const APPROVER = { name: 'approver', password: 'mihon-shounin-no-kagi' };
const REGISTER = 'ワンタイムパスワードの利用登録はこちら';

const WAYS = [
  { name: 'the whole guide on a PC', look: { width: 1280, colorScheme: 'light' }, options: {} },
  { name: 'the whole guide on a phone', look: { width: 360, colorScheme: 'dark' }, options: {} },
  {
    name: 'the whole guide without scripts',
    look: { width: 1280, colorScheme: 'light' },
    options: { javaScriptEnabled: false },
  },
  {
    name: 'the whole guide with bank and token service as two processes',
    look: { width: 1280, colorScheme: 'light' },
    options: {},
    apart: true,
  },
  {
    name: 'the whole guide with the token on a phone and the bank on a PC',
    look: { width: 1280, colorScheme: 'light' },
    options: {},
    token: { width: 360, colorScheme: 'dark' },
  },
  {
    name: 'the whole guide with the token on a PC and the bank on a phone',
    look: { width: 360, colorScheme: 'light' },
    options: {},
    token: { width: 1280, colorScheme: 'light' },
  },
];

describe('the whole guide', () => {
  let browser;

  before(async () => {
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
  });

  for (const way of WAYS) {
    test(way.name, async () => {
      const server = await startServer({ clocked: true, apart: way.apart });
      try {
        await guide(browser, server, way);
      } finally {
        await server.stop();
      }
    });
  }
});

async function person(browser, server, origin, way) {
  return Person.at(browser, server, origin, way.look, way.options);
}

/** The next code: the clock goes on, so that it is not one that was spent. */
async function nextCode(server, token) {
  await server.advance(30);
  return token.code();
}

async function idAndPassword(customer, button) {
  await customer.fill('契約者ID（利用者番号）', CUSTOMER.id);
  await customer.fill('ログインパスワード', CUSTOMER.password);
  await customer.press(button);
}

/** Tells the code that was spent on it. */
async function register(customer, token) {
  await customer.page.goto(customer.server.bank);
  await customer.follow(REGISTER);
  await idAndPassword(customer, '次へ');
  assert.equal(await customer.heading(), 'ワンタイムパスワード利用登録');
  const trail = await customer.page.locator('.trail li').allInnerTexts();
  assert.deepEqual(trail, ['利用者認証', 'ワンタイムパスワード登録情報入力', '処理結果']);
  await customer.looks();
  await customer.fill('トークンID', token.id.replace(/(.{4})(.{4})(.{4})/, '$1 $2 $3').toLowerCase());
  const spent = await token.code();
  await customer.fill('ワンタイムパスワード', spent);
  await customer.press('登録');
  await customer.says('ワンタイムパスワードの利用登録が完了しました。');
  await customer.says('処理結果番号');
  await customer.looks();
  await customer.follow('ログイン画面');
  return spent;
}

/** Tells the code that was spent on it, if one was. */
async function logIn(customer, token) {
  await customer.page.goto(customer.server.bank);
  await idAndPassword(customer, 'ログイン');
  const spent = await token?.code();
  if (token) {
    assert.equal(await customer.heading(), 'ワンタイムパスワード認証');
    await customer.page.reload();
    await customer.fill('ワンタイムパスワード', spent);
    await customer.press('確認');
  }
  assert.equal(await customer.heading(), 'トップページ');
  return spent;
}

async function logOut(customer) {
  await customer.press('ログアウト');
  await customer.says('ログアウトしました。');
}

/** Up to the page that asks for the code. */
async function orderTransfer(customer, amount) {
  await customer.follow('振込');
  await customer.fill('金融機関コード', '0001');
  await customer.fill('支店コード', '001');
  await customer.fill('口座番号', '1234567');
  await customer.fill('受取人名（カナ）', 'みほん しょうじ（カ');
  await customer.fill('金額', String(amount));
  await customer.press('次へ');
}

async function transfer(customer, code, amount) {
  await orderTransfer(customer, amount);
  await customer.says('ﾐﾎﾝ ｼﾖｳｼﾞ(ｶ');
  await customer.says(`${amount.toLocaleString('en-US')}円`);
  await customer.looks();
  await customer.fill('ワンタイムパスワード', await code());
  await customer.press('実行');
}

async function signStaffIn(staff, who, token) {
  await staff.page.goto(`${staff.server.staff}/login`);
  await staff.fill('担当者名', who.name);
  await staff.fill('ログインパスワード', who.password);
  await staff.press('次へ');
  const enrols = await staff.page.getByLabel('トークンID').count();
  if (enrols) await staff.fill('トークンID', token.id);
  await staff.fill('ワンタイムパスワード', await token.code());
  await staff.press('確認');
  assert.equal(await staff.heading(), '契約者照会');
}

async function findCustomer(staff) {
  await staff.page.goto(staff.server.staff);
  await staff.fill('検索', CUSTOMER.id);
  await staff.press('検索');
  await staff.follow('1000 0000 001');
}

async function guide(browser, server, way) {
  const customer = await person(browser, server, server.bank, way);
  const teller = await person(browser, server, server.staff, way);
  const approver = await person(browser, server, server.staff, way);
  const { scripts } = customer;
  const tokens = [];
  for (let number = 0; number < 3; number += 1) {
    tokens.push(await (way.token ? webToken(browser, server, way.token) : newToken(server.origin)));
  }
  const [first, second, third] = tokens;

  // B2: registered, and the registration's code is no good for the login.
  const registered = await register(customer, first);
  await idAndPassword(customer, 'ログイン');
  await customer.fill('ワンタイムパスワード', registered);
  if (!scripts) {
    await customer.press('確認');
    await customer.says('このコードはすでに使われています。');
  }
  await server.advance(30);

  // B3, B10: the login's code typed again at a transfer is refused, with the seconds to wait.
  const loggedIn = await logIn(customer, first);
  await customer.looks();
  if (!scripts) {
    await transfer(customer, () => loggedIn, 1_000);
    await customer.says('このコードはすでに使われています。');
    assert.match(await customer.page.locator('main').innerText(), /あと\d+秒で次のコード/);
  }
  await server.advance(30);
  await transfer(customer, first.code, 30_000);
  await customer.says('お振込を受け付け、振り込みました。');
  await customer.says('330円');
  const receipt = await customer.page.locator('dd').first().innerText();
  await customer.page.reload();
  assert.equal(await customer.page.locator('dd').first().innerText(), receipt);
  await customer.looks();

  // B9
  await customer.follow('振込限度額変更');
  await customer.fill('新しい1日の限度額', '500000');
  await customer.press('次へ');
  await customer.fill('ワンタイムパスワード', await nextCode(server, first));
  if (scripts) {
    // The page was shown while the transfer's code was the newest: loaded again, it waits no more.
    await customer.page.reload();
    await customer.fill('ワンタイムパスワード', await first.code());
  }
  await customer.press('実行');
  await customer.says('振込限度額の変更を受け付けました。');

  // B4: login without the code; a transfer still asks for it.
  await server.advance(30);
  await customer.follow('契約者情報変更');
  await customer.follow('ログイン時認証設定');
  await customer.page.getByLabel('認証しない').check();
  await customer.fill('ワンタイムパスワード', await first.code());
  await customer.press('実行');
  await customer.says('ログイン時認証設定を変更しました。');
  await logOut(customer);
  await logIn(customer, null);
  await server.advance(30);
  await transfer(customer, first.code, 10_000);
  await customer.says('お振込を受け付け、振り込みました。');
  await logOut(customer);

  // B6: by the old code; the old token is refused from that moment, the new one accepted.
  await server.advance(30);
  await customer.follow('トークンの変更');
  await idAndPassword(customer, '次へ');
  await customer.fill('ワンタイムパスワード', await first.code());
  await customer.press('次へ');
  await customer.fill('トークンID', second.id);
  await customer.fill('ワンタイムパスワード', await second.code());
  await customer.press('登録');
  await customer.says('トークンの変更が完了しました。');
  await server.advance(30);
  await logIn(customer, null);
  await transfer(customer, first.code, 5_000);
  await customer.says('ワンタイムパスワードが違います。');
  await server.advance(30);
  await customer.fill('ワンタイムパスワード', await second.code());
  await customer.press('実行');
  await customer.says('お振込を受け付け、振り込みました。');

  // B7, F4: staff stop the token; the customer's session ends, and a transfer is refused.
  const [tellerToken, approverToken] = [await newToken(server.origin), await newToken(server.origin)];
  await signStaffIn(teller, TELLER, tellerToken);
  await findCustomer(teller);
  await teller.looks();
  await teller.page.getByLabel('紛失', { exact: true }).check();
  await teller.fill('申し出た方', '本人からの電話');
  await teller.press('トークンを停止する');
  await teller.says('紛失により停止中');
  await customer.page.goto(`${server.bank}/transfer`);
  assert.equal(await customer.heading(), 'ログイン');
  await logIn(customer, null);
  await orderTransfer(customer, 1_000);
  await customer.says('トークンの紛失・盗難のお届けにより');
  await logOut(customer);

  // F5: one asks, another approves; who asked cannot.
  await findCustomer(teller);
  await teller.fill('理由', '本人を確認しました');
  await teller.press('承認を依頼');
  await teller.says('承認待ち');
  assert.equal(await teller.page.getByRole('button', { name: '承認する' }).count(), 0);
  await signStaffIn(approver, APPROVER, approverToken);
  await approver.follow('承認');
  await approver.looks();
  await approver.press('承認する');
  await approver.says('承認済');

  // B2 again, then B5.
  await server.advance(30);
  await register(customer, third);
  await server.advance(30);
  await logIn(customer, third);
  await logOut(customer);
  await server.advance(30);
  await customer.follow('ワンタイムパスワードの利用停止');
  await idAndPassword(customer, '次へ');
  await customer.fill('ワンタイムパスワード', await third.code());
  await customer.press('停止');
  await customer.says('ワンタイムパスワードの利用を停止しました。');
  await logIn(customer, null);
  await orderTransfer(customer, 1_000);
  await customer.says('ワンタイムパスワードが登録されていません。');

  // B14: what happened went out by mail.
  await teller.follow('送信メール');
  for (const subject of ['利用登録', 'トークンを変更しました', 'トークンを停止しました']) {
    await teller.says(subject);
  }
  // What was refused on purpose, and nothing else.
  const people = [customer, teller, approver];
  assert.deepEqual(people.flatMap((one) => one.unexpected(['/login/code', '/confirm/', '/transfer'])), []);
  for (const one of people) await one.page.context().close();
  for (const token of tokens) await token.close?.();
}
