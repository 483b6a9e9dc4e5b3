// Copying, and clearing away what was copied.

const KEPT = 30_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let wiping;
/** @type {string | undefined} */
let copied;

/**
 * Copies a text, and clears it away after 30 s.
 * @param {string} text
 * @param {() => void} wiped
 */
export async function copy(text, wiped) {
  await navigator.clipboard.writeText(text);
  copied = text;
  clearTimeout(wiping);
  wiping = setTimeout(() => wipe(wiped), KEPT);
}

/**
 * A browser lets a page at the clipboard only while it has the focus: then at the next one. Reading is tried only where
 * it was granted before, so that what the customer copied since is not cleared away where we can know.
 * @param {() => void} wiped
 */
async function wipe(wiped) {
  if (!document.hasFocus()) {
    addEventListener('focus', () => wipe(wiped), { once: true });
    return;
  }
  const ours = copied;
  if (ours === undefined) return;
  copied = undefined;
  try {
    if (await isOurs(ours)) {
      await navigator.clipboard.writeText('');
      wiped();
    }
  } catch {
    // The browser does not let us; nothing was promised but to try.
  }
}

/** @param {string} ours */
async function isOurs(ours) {
  try {
    const name = /** @type {PermissionName} */ ('clipboard-read');
    const { state } = await navigator.permissions.query({ name });
    if (state !== 'granted') return true;
    return (await navigator.clipboard.readText()) === ours;
  } catch {
    return true;
  }
}
