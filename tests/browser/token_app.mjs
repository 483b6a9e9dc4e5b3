// Driving the web token: its start, its services (the real one, or one that the test plays), and time.

import assert from 'node:assert/strict';
import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { createServer, request as ask } from 'node:http';
import { openPage } from './browser.mjs';

// The bytes before a raw X25519 key in its SPKI form (RFC 8410).
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');

export const ID = /^[A-Z]{4}[0-9]{8}$/;

/** From the address to the code: the welcome screen and its one button. */
export async function firstStart(page, origin) {
  await page.goto(`${origin}/token/`);
  await page.getByRole('button', { name: 'OK', exact: true }).click();
  return shownToken(page);
}

/** What the main screen shows, once it does. */
export async function shownToken(page) {
  await page.locator('#code[data-step] .spoken').waitFor({ state: 'attached' });
  return page.evaluate(() => {
    const spoken = (id) => document.querySelector(`#${id} .spoken`).textContent.replaceAll(' ', '');
    return { id: spoken('id'), code: spoken('code') };
  });
}

/**
 * The web token in a browser of its own, as a person reads it: what a story needs of any token. Its page is on a device
 * whose clock does not move with the server's, so it shows the right code as soon as it has been online (rule T6).
 */
export async function webToken(browser, server, look) {
  const { page, context, complaints } = await openPage(browser, server.origin, look);
  const { id } = await firstStart(page, server.origin);
  return {
    id,
    async code() {
      for (let tries = 0; ; tries += 1) {
        const { service_time: now } = await (await fetch(`${server.origin}/v1/time`)).json();
        const step = Math.floor(Date.parse(now) / 30_000);
        await page.reload();
        try {
          await page.locator(`#code[data-step="${step}"]`).waitFor({ timeout: 3_000 });
        } catch (error) {
          // The code changed while the page was read.
          if (tries > 1) throw error;
          continue;
        }
        const shown = await shownToken(page);
        assert.equal(shown.id, id);
        return shown.code;
      }
    },
    async close() {
      assert.deepEqual(complaints, []);
      await context.close();
    },
  };
}

/** Waits until the worker has the whole page. */
export async function keptOffline(page) {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

/** A relying party's question at the real service. */
export async function validate(server, key, { id, code }) {
  const response = await fetch(`${server.origin}/v1/credentials/${id}/validate`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': crypto.randomUUID(),
    },
    body: JSON.stringify({ code, purpose: 'login' }),
  });
  return (await response.json()).result;
}

/** A new relying party's API key. */
export async function newParty(server) {
  return (await server.run('relying-party', 'add', `example ${crypto.randomUUID()}`)).match(/\S{20,}/)[0];
}

/**
 * A service that the test plays, so that it knows the secret, which the real one never says. `now` is its clock;
 * `change` may spoil an answer.
 */
export async function playService(context, { now = () => Date.now(), change = (answer) => answer } = {}) {
  const played = { secrets: [], provisions: 0, bodies: [] };
  await context.route('**/v1/credentials', async (route) => {
    played.provisions += 1;
    const body = route.request().postDataJSON();
    played.bodies.push(route.request().postData());
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const device = Buffer.concat([SPKI, Buffer.from(body.public_key, 'base64url')]);
    const key = createPublicKey({ key: device, type: 'spki', format: 'der' });
    const shared = diffieHellman({ privateKey, publicKey: key });
    const id = 'WRWA12345671';
    played.secrets.push(Buffer.from(hkdfSync('sha256', shared, id, 'warifu totp v1', 32)));
    const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    const answer = change({
      credential_id: id,
      service_public_key: raw.toString('base64url'),
      algorithm: 'SHA256',
      digits: 6,
      period: 30,
      service_time: new Date(now()).toISOString(),
    });
    played.bodies.push(JSON.stringify(answer));
    await route.fulfill({ status: 201, json: answer });
  });
  await context.route('**/v1/time', (route) =>
    route.fulfill({ json: { service_time: new Date(now()).toISOString() } }),
  );
  return played;
}

/** A device clock that is off by some milliseconds, from the first script on. */
export async function clockOff(context, milliseconds) {
  await context.addInitScript((off) => {
    const RealDate = Date;
    const real = RealDate.now;
    globalThis.Date = class extends RealDate {
      constructor(...words) {
        if (words.length === 0) super(real() + off);
        else super(...words);
      }

      static now() {
        return real() + off;
      }
    };
  }, milliseconds);
}

/**
 * Stands before the server on a port of its own: counts what goes to the browser, and may give other contents.
 * `change(path, body)` gives the new body, or nothing to leave it.
 */
export async function startProxy(server) {
  const proxy = { change: () => undefined, bytes: 0, paths: [] };
  const { hostname, port } = new URL(server.origin);
  const listener = createServer((incoming, outgoing) => {
    proxy.paths.push(`${incoming.method} ${incoming.url}`);
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers };
    if (proxy.plain) {
      delete headers['accept-encoding'];
      delete headers['if-none-match'];
    }
    const passed = ask({ hostname, port, method, path, headers }, async (answer) => {
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const other = proxy.change(path, body.toString());
      const answered = { ...answer.headers };
      if (other !== undefined) {
        delete answered['content-length'];
        answered.etag = `"other-${other.length}"`;
      }
      outgoing.writeHead(answer.statusCode, answered);
      outgoing.end(other ?? body);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  listener.on('connection', (socket) => {
    socket.on('close', () => {
      proxy.bytes += socket.bytesWritten;
      proxy.open.delete(socket);
    });
    proxy.open.add(socket);
  });
  proxy.open = new Set();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  proxy.origin = `http://127.0.0.1:${listener.address().port}`;
  /** All that was written to the browser so far. */
  proxy.written = () => [...proxy.open].reduce((sum, socket) => sum + socket.bytesWritten, proxy.bytes);
  proxy.stop = () => {
    listener.close();
    for (const socket of proxy.open) socket.destroy();
  };
  assert.ok(proxy.origin);
  return proxy;
}
