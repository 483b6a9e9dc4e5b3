// The page's elements, by the IDs that index.html gives them.

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function at(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no ${id}`);
  return element;
}

/**
 * Shows one screen alone. Focus goes to its heading, so that a screen reader says where one is; not at the first one,
 * where it begins to read by itself.
 * @param {string} id
 */
export function show(id) {
  const before = document.querySelector('.screen:not([hidden])');
  if (before?.id === id) return;
  for (const screen of document.querySelectorAll('.screen')) {
    screen.toggleAttribute('hidden', screen.id !== id);
  }
  const heading = at(id).querySelector('h1');
  if (!heading || before?.id === 'starting') return;
  heading.tabIndex = -1;
  heading.focus();
}

/** @param {string} id */
export function shown(id) {
  return !at(id).hidden;
}

/**
 * What is done when a button is pressed. A second press waits for the first one's end.
 * @param {string} id
 * @param {() => unknown} work
 */
export function pressed(id, work) {
  let busy = false;
  at(id).addEventListener('click', async () => {
    if (busy) return;
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
    }
  });
}

/**
 * Characters in groups: what the eye reads in groups, a screen reader reads one by one.
 * @param {HTMLElement} element
 * @param {string} characters
 * @param {number[]} places where a new group begins
 */
export function grouped(element, characters, places) {
  const seen = document.createElement('span');
  seen.setAttribute('aria-hidden', 'true');
  const ends = [...places, characters.length];
  [0, ...places].forEach((from, index) => {
    const group = document.createElement('span');
    group.className = 'group';
    group.textContent = characters.slice(from, ends[index]);
    seen.append(group);
  });
  const spoken = document.createElement('span');
  spoken.className = 'spoken';
  spoken.textContent = oneByOne(characters);
  element.replaceChildren(seen, spoken);
}

/** @param {string} characters */
export function oneByOne(characters) {
  return [...characters].join(' ');
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

/**
 * Says something, for the eye and for the ear.
 * @param {string} text
 */
export function say(text) {
  const said = at('said');
  clearTimeout(silence);
  // The same words twice are news too.
  said.textContent = '';
  requestAnimationFrame(() => {
    said.textContent = text;
  });
  silence = setTimeout(() => {
    said.textContent = '';
  }, 8_000);
}
