// Flows that the guide does not walk, one test each, on a PC's and a phone's width.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { launch } from './browser.mjs';
import { Person } from './person.mjs';
import { startServer } from './server.mjs';
import { newToken } from './token.mjs';

const HANAKO = { id: '10000000001', password: 'mihon-hanako-no-kagi' };
const CODE = 'ワンタイムパスワード';
const LOOKS = [
  { width: 1280, colorScheme: 'light' },
  { width: 360, colorScheme: 'light' },
];

describe('flows', () => {
  let server;
  let browser;
  let customer;
  let token;
  let tellerToken;

  async function begin(look) {
    server = await startServer({ clocked: true });
    browser ??= await launch();
    customer = await Person.at(browser, server, server.bank, look);
    token = await newToken(server.origin);
    tellerToken = undefined;
    await register(token);
  }

  async function end() {
    await customer?.context.close();
    await server?.stop();
  }

  async function idAndPassword(who, button, password = who.password) {
    await customer.fill('契約者ID（利用者番号）', who.id);
    await customer.fill('ログインパスワード', password);
    await customer.press(button);
  }

  async function register(one) {
    await customer.goto(`${server.bank}/registration`);
    await idAndPassword(HANAKO, '次へ');
    await customer.fill('トークンID', one.id);
    await customer.fill(CODE, await one.code());
    await customer.press('登録');
    await customer.says('利用登録が完了しました');
    await server.advance(30);
  }

  async function logIn(who = HANAKO, password = who.password) {
    await customer.goto(server.bank);
    await idAndPassword(who, 'ログイン', password);
    await customer.fill(CODE, await token.code());
    await customer.press('確認');
    assert.equal(await customer.heading(), 'トップページ');
    await server.advance(30);
  }

  async function staff(name, password) {
    const person = await Person.at(browser, server, server.staff, LOOKS[0]);
    await person.goto(`${server.staff}/login`);
    await person.fill('担当者名', name);
    await person.fill('ログインパスワード', password);
    await person.press('次へ');
    tellerToken = await newToken(server.origin);
    await person.fill('トークンID', tellerToken.id);
    await person.fill(CODE, await tellerToken.code());
    await person.press('確認');
    return person;
  }

  const teller = () => staff('teller', 'mihon-madoguchi-no-kagi');
  const approver = () => staff('approver', 'mihon-shounin-no-kagi');

  before(async () => {
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
  });

  /** A story on a fresh bank, with a registered token, in each width. */
  function story(name, run) {
    for (const look of LOOKS) {
      test(`${name}, ${look.width} wide`, async () => {
        try {
          await begin(look);
          await run();
          // What the stories get wrong on purpose, and nothing else.
          const refusals = ['/login', '/registration/token', '/loss', '/profile/password', '/profile/mail'];
          assert.deepEqual(customer.unexpected(refusals), []);
        } finally {
          await end();
        }
      });
    }
  }

  story('a dated transfer is listed, cancelled with a code, and sent on its day otherwise', async () => {
    await server.advance(25 * 3600);
    await logIn();
    const { service_time: now } = await (await fetch(`${server.origin}/v1/time`)).json();
    const day = new Date(Date.parse(now) + (9 + 48) * 3600 * 1000).toISOString().slice(0, 10);
    for (const amount of ['1,000', '2,000']) {
      await customer.follow('振込');
      await customer.fill('金融機関コード', '0001');
      await customer.fill('支店コード', '001');
      await customer.fill('口座番号', '1234567');
      await customer.fill('受取人名（カナ）', 'ミホン');
      await customer.fill('金額', amount);
      await customer.fill('振込指定日', day);
      await customer.press('次へ');
      await customer.fill(CODE, await token.code());
      await customer.press('実行');
      await customer.says('予約振込を受け付けました');
      await server.advance(30);
    }
    await customer.follow('予約振込照会・取消');
    await customer.page.getByRole('button', { name: '取消' }).first().click();
    await customer.says('2,000円');
    await customer.fill(CODE, await token.code());
    await customer.press('実行');
    await customer.says('予約振込を取り消しました');
    await server.advance(48 * 3600);
    await logIn();
    // The bank looks for what is due every few seconds: the list is asked for until it has.
    const sent = customer.page.locator('main').getByText('振込済');
    for (let tries = 0; tries < 100 && (await sent.count()) === 0; tries += 1) {
      await customer.page.waitForTimeout(200);
      await customer.follow('予約振込照会・取消');
    }
    await customer.says('振込済');
    await customer.says('取消済');
  });

  story('a lost token is stopped by the customer himself', async () => {
    await customer.goto(server.bank);
    await customer.follow('トークンの紛失・盗難');
    await idAndPassword(HANAKO, '次へ');
    await customer.press('トークンを停止する');
    await customer.says('理由を選んでください');
    await customer.page.getByLabel('盗難').check();
    await customer.press('トークンを停止する');
    await customer.says('トークンを停止しました');
    await customer.goto(`${server.bank}/registration`);
    await idAndPassword(HANAKO, '次へ');
    await customer.says('お電話でお手続きください');
  });

  story('the password is changed with the old one and a code', async () => {
    await logIn();
    await customer.follow('契約者情報変更');
    await customer.follow('ログインパスワード変更');
    const change = async (now, next, again) => {
      await customer.fill('現在のパスワード', now);
      await customer.fill('新しいパスワード', next);
      await customer.fill('新しいパスワード（確認）', again);
      await customer.fill(CODE, await token.code());
      await customer.press('変更');
    };
    await change(HANAKO.password, 'short', 'short');
    await customer.says('8文字以上にしてください');
    await change(HANAKO.password, 'password', 'password');
    await customer.says('推測されやすい');
    await change('wrong', 'aoi-sora-shiroi-kumo', 'aoi-sora-shiroi-kumo');
    await customer.says('現在のパスワードが違います');
    await change(HANAKO.password, 'aoi-sora-shiroi-kumo', 'aoi-sora-shiroi-kumo');
    await customer.says('ログインパスワードを変更しました');
    await customer.press('ログアウト');
    await idAndPassword(HANAKO, 'ログイン');
    await customer.says('契約者IDまたはログインパスワードが違うか');
    await server.advance(30);
    await logIn(HANAKO, 'aoi-sora-shiroi-kumo');
  });

  story('the mail address is changed, and both addresses are told', async () => {
    await logIn();
    await customer.follow('契約者情報変更');
    await customer.follow('Eメールアドレス変更');
    await customer.fill('新しいEメールアドレス', 'not an address');
    await customer.press('次へ');
    await customer.says('Eメールアドレスを正しく入力してください');
    await customer.fill('新しいEメールアドレス', 'new@bank.example');
    await customer.press('次へ');
    await customer.fill(CODE, await token.code());
    await customer.press('実行');
    await customer.says('Eメールアドレスを変更しました');
    const person = await teller();
    await person.follow('送信メール');
    await person.says('new@bank.example');
    await person.says('customer@bank.example');
    await person.context.close();
  });

  story('money goes between own accounts without a code, and the statement tells it', async () => {
    await logIn();
    await customer.follow('振替');
    await customer.fill('金額', '5000');
    await customer.press('次へ');
    await customer.says('5,000円');
    await customer.press('実行');
    await customer.says('振替が完了しました');
    await customer.goto(`${server.bank}/accounts/10111234567?text=振替`);
    await customer.says('5,000円');
    const csv = await customer.page.request.get(`${server.bank}/accounts/10111234567/csv?text=振替`);
    const text = await csv.text();
    assert.equal(text.codePointAt(0), 0xfeff);
    assert.match(text, /"振替",5000,,/);
  });

  story('everything is stopped by the customer and lifted by two of the staff', async () => {
    await logIn();
    await customer.follow('契約者情報変更');
    await customer.follow('IB取引中止');
    await customer.press('次へ');
    await customer.press('実行');
    await customer.says('インターネットバンキングを中止しました');
    await customer.goto(`${server.bank}/top`);
    assert.equal(await customer.heading(), 'ログイン');
    await idAndPassword(HANAKO, 'ログイン');
    await customer.says('契約者IDまたはログインパスワードが違うか');
    const one = await teller();
    await one.goto(`${server.staff}/contracts/${HANAKO.id}`);
    await one.page.getByLabel('IB取引中止の解除').check();
    await one.fill('理由', '本人を確認しました');
    await one.press('承認を依頼');
    const other = await approver();
    await other.follow('承認');
    await other.press('承認する');
    await other.says('承認済');
    await logIn();

    // The staff read in words what the contract went through.
    await one.goto(`${server.staff}/contracts/${HANAKO.id}`);
    const rows = one.page.locator('table').filter({ hasText: '誰が' }).locator('tbody tr');
    const trail = (await rows.allInnerTexts()).map((row) => row.replaceAll(/\s+/g, ' '));
    const has = (...words) => trail.some((row) => words.every((word) => row.includes(word)));
    assert.ok(has('ご契約者', 'ログイン', '127.0.0.1'), trail.join('\n'));
    assert.ok(has('teller', '承認を依頼', 'IB取引中止の解除'), trail.join('\n'));
    assert.ok(has('approver', '承認', 'IB取引中止の解除'), trail.join('\n'));
    assert.ok(!trail.some((row) => row.includes('{')), trail.join('\n'));
    for (const person of [one, other]) await person.context.close();
  });

  story('a contract is opened, and its letter leads to the first login', async () => {
    const person = await teller();
    await person.follow('新規契約');
    await person.fill('お名前', '見本 三郎');
    await person.fill('お名前（カナ）', 'ミホン サブロウ');
    await person.fill('支店コード', '101');
    await person.fill('入金額', '100000');
    const download = person.page.waitForEvent('download');
    await person.page.getByRole('button', { name: '契約を作成して書面を出す' }).click();
    const folder = await mkdtemp(join(tmpdir(), 'warifu-letter-'));
    const file = join(folder, 'letter.pdf');
    await (await download).saveAs(file);
    const { stdout } = await promisify(execFile)('pdftotext', ['-layout', file, '-']);
    await rm(folder, { recursive: true });
    const id = stdout.match(/\d{4} \d{4} \d{3}/)[0].replaceAll(' ', '');
    const password = stdout.match(/[a-z2-9]{4}(?:-[a-z2-9]{4}){3}/)[0];
    await customer.goto(server.bank);
    await idAndPassword({ id, password }, 'ログイン');
    assert.equal(await customer.heading(), '初回パスワードの変更');
    await customer.fill('現在のパスワード', password);
    await customer.fill('新しいパスワード', 'aoi-sora-shiroi-kumo');
    await customer.fill('新しいパスワード（確認）', 'aoi-sora-shiroi-kumo');
    await customer.press('変更');
    assert.equal(await customer.heading(), 'トップページ');
    await customer.says('100,000円');
    await person.context.close();
  });

  story('in English the same bank is there', async () => {
    const fill = (label, value) => customer.fill(label, value);
    await customer.goto(server.bank);
    await customer.follow('English');
    await fill('Contract ID', HANAKO.id);
    await fill('Login password', HANAKO.password);
    await customer.press('Log in');
    await fill('One-time password', await token.code());
    await customer.press('Confirm');
    await server.advance(30);
    await customer.follow('Transfer');
    await fill('Bank code', '0001');
    await fill('Branch code', '001');
    await fill('Account number', '1234567');
    await fill("Payee's name (kana)", 'mihon');
    await fill('Amount', '1000');
    await customer.press('Next');
    await customer.says('¥1,165');
    await fill('One-time password', await token.code());
    await customer.press('Execute');
    await customer.says('The transfer has been sent.');
    await customer.press('Log out');
    await customer.says('You are logged out.');
  });

  story('a newer login ends the older one, and Back shows nothing after logout', async () => {
    await logIn();
    const other = await Person.at(browser, server, server.bank, LOOKS[0]);
    const first = customer;
    customer = other;
    await logIn();
    await customer.says('別のログインが残っていたため');
    await first.goto(`${server.bank}/top`);
    await first.says('別のログインがあったため');
    await customer.press('ログアウト');
    await customer.page.goBack();
    await customer.page.waitForLoadState();
    assert.equal(await customer.page.getByText('残高照会').count(), 0);
    await first.context.close();
  });
});
