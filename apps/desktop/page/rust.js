// Asking Rust for something; and what it says when that is not done, as the errors that the screens know.

import { Gone, Trouble, Void } from './backend.js';
import { WeakServiceKey } from './exchange.js';
import { ServiceError } from './service.js';

/**
 * What Rust says when something is not done: src/told.rs.
 * @typedef {{ kind: string, said?: string, id?: string }} Told
 */

/**
 * @param {string} command
 * @param {Record<string, unknown>} values
 */
export async function ask(command, values = {}) {
  const tauri = /** @type {NonNullable<typeof __TAURI__>} */ (globalThis.__TAURI__);
  try {
    return await tauri.core.invoke(command, values);
  } catch (error) {
    throw understood(/** @type {Told} */ (error));
  }
}

/** @param {Told} told */
function understood({ kind, said = '', id = '' }) {
  switch (kind) {
    case 'away':
    case 'refused':
    case 'strange':
    case 'other-codes':
      return new ServiceError(kind, { said });
    case 'weak':
      return new WeakServiceKey(kind);
    case 'void':
      return new Void(id, said);
    case 'gone':
      return new Gone(id);
    default:
      return new Trouble(`desktop-trouble-${kind}`, { said });
  }
}
