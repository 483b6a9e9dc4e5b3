// A customer of the sample bank with a token: what most stories begin with.

import assert from 'node:assert/strict';
import { Person } from './person.mjs';
import { newToken } from './token.mjs';

export const HANAKO = { id: '10000000001', password: 'mihon-hanako-no-kagi' };
export const CODE = 'ワンタイムパスワード';

export class Customer extends Person {
  /** With a token that is registered, and a code that is good for anything. */
  static async registered(browser, server, look) {
    const customer = await Customer.at(browser, server, server.bank, look);
    customer.token = await newToken(server.origin);
    await customer.register(customer.token);
    return customer;
  }

  static async at(browser, server, origin, look, options = {}) {
    const { page, context, complaints, scripts } = await super.at(
      browser,
      server,
      origin,
      look,
      options,
    );
    return new Customer(server, { page, context, complaints }, scripts);
  }

  async idAndPassword(button, { id, password } = HANAKO) {
    await this.fill('契約者ID（利用者番号）', id);
    await this.fill('ログインパスワード', password);
    await this.press(button);
  }

  async register(token) {
    await this.goto(`${this.server.bank}/registration`);
    await this.idAndPassword('次へ');
    await this.fill('トークンID', token.id);
    await this.fill(CODE, await token.code());
    await this.press('登録');
    await this.says('利用登録が完了しました');
    await this.server.advance(30);
  }

  async logIn() {
    await this.goto(this.server.bank);
    await this.idAndPassword('ログイン');
    await this.confirm('確認');
    assert.equal(await this.heading(), 'トップページ');
  }

  /** Gives the code that the token shows, and waits for the next. */
  async confirm(button) {
    await this.fill(CODE, await this.token.code());
    await this.press(button);
    await this.server.advance(30);
  }

  value(label) {
    return this.page.getByLabel(label, { exact: true }).inputValue();
  }
}
