// One person at one browser: presses, follows and fills in what the pages show.

import assert from 'node:assert/strict';
import { assertAccessible, assertNoSidewaysScroll, openPage } from './browser.mjs';

export class Person {
  static async at(browser, server, origin, look, options = {}) {
    const opened = await openPage(browser, origin, look, options);
    return new Person(server, opened, options.javaScriptEnabled !== false);
  }

  constructor(server, { page, context, complaints }, scripts) {
    Object.assign(this, { server, page, context, complaints, scripts });
  }

  async press(name) {
    await this.page.getByRole('button', { name, exact: true }).click();
    await this.page.waitForLoadState();
  }

  async follow(name) {
    await this.page.getByRole('link', { name, exact: true }).first().click();
    await this.page.waitForLoadState();
  }

  async fill(label, value) {
    await this.page.getByLabel(label, { exact: true }).fill(value);
  }

  async goto(url) {
    await this.page.goto(url);
  }

  heading() {
    return this.page.locator('h1').innerText();
  }

  async says(text) {
    const said = await this.page.locator('main').innerText();
    assert.ok(said.includes(text), `${text} is not in: ${said}`);
  }

  /**
   * What the browser complained of, but for the pages under these paths that refuse on purpose: each refusal is told
   * twice, once by its answer and once by the console.
   */
  unexpected(paths) {
    const status = /^(\d+) for [^/]+\/\/[^/]+(\/[^?]*)/;
    const refused = this.complaints.filter((complaint) => {
      const [, code, path] = status.exec(complaint) ?? [];
      return code === '422' && paths.some((one) => path.startsWith(one));
    });
    const rest = this.complaints.filter((complaint) => !refused.includes(complaint));
    let told = refused.length;
    return rest.filter((complaint) => {
      const again = /status of 422/.test(complaint) && told > 0;
      if (again) told -= 1;
      return !again;
    });
  }

  /** No sideways scroll, and nothing that axe-core finds, where it can run. */
  async looks() {
    await assertNoSidewaysScroll(this.page);
    if (this.scripts) await assertAccessible(this.page);
  }
}
