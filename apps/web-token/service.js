// The token service over HTTP: the same origin's /v1.

import { measure } from './clock.js';
import { fromBase64Url, toBase64Url } from './exchange.js';

const PATIENCE = 15_000;

/**
 * Why the service did not do what was asked. `seconds`: when to come back. `said`: its own words.
 * @typedef {'away' | 'busy' | 'refused' | 'strange' | 'other-codes'} Trouble
 */
export class ServiceError extends Error {
  /**
   * @param {Trouble} trouble
   * @param {{ seconds?: number, said?: string }} more
   */
  constructor(trouble, { seconds = 0, said = '' } = {}) {
    super(trouble);
    this.trouble = trouble;
    this.seconds = seconds;
    this.said = said;
  }
}

/**
 * Asks, and gives the answer with the clock readings before and after.
 * @param {string} path
 * @param {RequestInit} options
 * @param {string} language
 */
async function ask(path, options, language) {
  const asked = Date.now();
  let response;
  try {
    response = await fetch(path, {
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE),
      ...options,
      headers: { ...options.headers, 'Accept-Language': language },
    });
  } catch {
    throw new ServiceError('away');
  }
  const answered = Date.now();
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new ServiceError(response.status >= 500 ? 'away' : 'strange');
  }
  if (response.ok) return { answer, asked, answered };
  const seconds = Number(response.headers.get('Retry-After')) || 0;
  const said = typeof answer?.detail === 'string' ? answer.detail : '';
  if (response.status === 429) throw new ServiceError('busy', { seconds, said });
  if (response.status >= 500) throw new ServiceError('away', { seconds, said });
  throw new ServiceError('refused', { said });
}

/**
 * @param {unknown} text RFC 3339
 * @returns {number} milliseconds since 1970
 */
function moment(text) {
  const time = typeof text === 'string' ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new ServiceError('strange');
  return time;
}

/**
 * Makes a token known (rule S1). When the answer is lost, asking again with another key is safe: the first credential
 * was never used by anyone.
 * @param {Uint8Array} publicKey 32 bytes
 * @param {string} language
 */
export async function provision(publicKey, language) {
  const { answer, asked, answered } = await ask(
    '/v1/credentials',
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ public_key: toBase64Url(publicKey), platform: 'web' }),
    },
    language,
  );
  const { credential_id: id, service_public_key: key, algorithm, digits, period } = answer;
  if (algorithm !== 'SHA256' || digits !== 6 || period !== 30) throw new ServiceError('other-codes');
  if (!/^[A-Z]{4}[0-9]{8}$/.test(id) || !/^[A-Za-z0-9_-]{43}$/.test(key)) {
    throw new ServiceError('strange');
  }
  const serviceTime = moment(answer.service_time);
  return {
    id: String(id),
    servicePublicKey: fromBase64Url(key),
    contact: measure(asked, serviceTime, answered),
  };
}

/**
 * The service's clock.
 * @param {string} language
 */
export async function time(language) {
  const { answer, asked, answered } = await ask('/v1/time', {}, language);
  return measure(asked, moment(answer.service_time), answered);
}
