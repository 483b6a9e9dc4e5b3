// Starts the warifu binary in a temporary folder on free ports, and ends it.

import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The one place that knows the names of the settings; `cargo xtask schemathesis` uses it too.
const TEMPLATE = new URL('../../xtask/templates/warifu.toml', import.meta.url);
const PATIENCE = 30_000;

/** The path of a binary that `cargo xtask test` built and named in the environment. */
export function binary(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} is not set: run \`cargo xtask test --only browser\``);
  return path;
}

/** Different ports that nobody listens on, below those (from 32,768 on) that outgoing connections take meanwhile. */
async function freePorts(count) {
  const held = new Map();
  for (let tries = 0; held.size < count; tries += 1) {
    if (tries > 10_000) throw new Error('not so many free ports');
    const port = randomInt(20_000, 32_000);
    const probe = createServer();
    const listens = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    // Held until all are found, so that none comes twice.
    if (listens) held.set(port, probe);
  }
  for (const probe of held.values()) await new Promise((resolve) => probe.close(resolve));
  return [...held.keys()];
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function answers(address, child, said) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`warifu ended with ${child.exitCode}: ${said()}`);
    try {
      await fetch(address, { signal: AbortSignal.timeout(2_000) });
      return;
    } catch {
      await pause(50);
    }
  }
  throw new Error(`warifu does not answer: ${said()}`);
}

/** One process of the program on a configuration of its own, in a folder. */
async function startProcess(folder, name, text, { clocked, env = {} }) {
  const config = join(folder, `${name}.toml`);
  await writeFile(config, text);
  const program = binary(clocked ? 'WARIFU_CLOCKED_BIN' : 'WARIFU_BIN');
  const child = spawn(program, clocked ? [config] : ['serve', '--config', config], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: [clocked ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk) => {
    output = (output + chunk).slice(-10_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // Should the test process end without `stop`, the server must not stay.
  const last = () => child.kill('SIGKILL');
  process.once('exit', last);
  return {
    child,
    config,
    output: () => output,
    /** Moves the clock of a clocked process forward, and waits until it has heard. */
    async advance(seconds) {
      const heard = new Promise((resolve) => {
        const listen = (chunk) => {
          if (!String(chunk).includes(`moved ${seconds}`)) return;
          child.stdout.removeListener('data', listen);
          resolve();
        };
        child.stdout.on('data', listen);
      });
      child.stdin.write(`+${seconds}\n`);
      await heard;
    },
    async stop() {
      process.removeListener('exit', last);
      if (child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const slow = setTimeout(last, 10_000);
      await gone;
      clearTimeout(slow);
    },
  };
}

/**
 * A running server: its origin, those of the bank and of the staff's pages, a way to run its other commands, and `stop`.
 * With `clocked`, the same program with a clock that `advance` moves: what takes minutes takes a word. With `apart`, the
 * bank and the token service are two processes with two databases, and talk over HTTP.
 */
export async function startServer({ clocked = false, apart = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'warifu-browser-'));
  const [port, bankPort, staffPort, ...metrics] = await freePorts(6);
  const filled = (await readFile(TEMPLATE, 'utf8'))
    .replaceAll('{port}', String(port))
    .replaceAll('{bank_port}', String(bankPort))
    .replaceAll('{staff_port}', String(staffPort));
  const metricsPorts = { var: metrics[0], tokens: metrics[1], bank: metrics[2] };
  const inFolder = (name) =>
    filled
      .replaceAll('{data_dir}', join(folder, name))
      .replaceAll('{metrics_port}', String(metricsPorts[name]));
  const api = `http://127.0.0.1:${port}/v1/openapi.json`;
  const processes = [];
  let advanced = 0;
  const server = {
    origin: `http://127.0.0.1:${port}`,
    bank: `http://127.0.0.1:${bankPort}`,
    staff: `http://127.0.0.1:${staffPort}`,
    /** Moves the clock of a clocked server forward. */
    async advance(seconds) {
      advanced += seconds;
      for (const one of processes) await one.advance(seconds);
    },
    output: () => processes.map((one) => one.output()).join('\n'),
    async run(...words) {
      const [{ config }] = processes;
      const all = [...words, '--config', config];
      const { stdout } = await promisify(execFile)(binary('WARIFU_BIN'), all, { cwd: folder });
      return stdout.trim();
    },
    /** Ends a server that is one process and keeps its data: to whoever asks it is away. */
    async pause() {
      await processes.pop().stop();
    },
    /** Starts it again on the same ports. */
    resume: () => start('warifu', inFolder('var'), {}, api),
    async stop() {
      for (const one of processes) await one.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const start = async (name, text, options, address) => {
    const one = await startProcess(folder, name, text, { clocked, ...options });
    processes.push(one);
    await answers(address, one.child, server.output);
  };
  try {
    if (apart) {
      const startTokens = () => start('tokens', `${inFolder('tokens')}enabled = false\n`, {}, api);
      await startTokens();
      server.tokens = {
        /** Ends the token service and keeps its data: the bank is alone. */
        stop: () => processes.shift().stop(),
        /** Starts it again on the same port, with the time that it is by now. */
        async start() {
          await startTokens();
          processes.unshift(processes.pop());
          if (clocked) await processes[0].advance(advanced);
        },
      };
      const key = await server.run('relying-party', 'add', 'bank');
      const remote = `[bank.token_service]\naddress = "${server.origin}"\nkey_environment = "KEY"\n`;
      const bank = inFolder('bank').replace('[token_service]', '[token_service]\nenabled = false');
      await start('bank', `${bank}\n${remote}`, { env: { KEY: key } }, server.bank);
    } else {
      await start('warifu', inFolder('var'), {}, api);
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
