// Comfort only: every page works without it.

const once = (form) => {
  form.addEventListener('submit', () => {
    // After the browser has read the form: a disabled button would not be sent.
    setTimeout(() => {
      for (const button of form.querySelectorAll('button')) button.disabled = true;
    });
  });
};

const wait = (form) => {
  const until = Date.now() + Number(form.dataset.wait) * 1000;
  const button = form.querySelector('.buttons button');
  if (!button) return;
  const label = button.textContent;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) {
      button.disabled = false;
      button.textContent = label;
      return;
    }
    button.disabled = true;
    button.textContent = form.dataset.waitText.replace('{0}', String(left));
    setTimeout(tick, 250);
  };
  tick();
};

const idle = () => {
  const { idleText, idleStay } = document.body.dataset;
  if (!idleText || typeof HTMLDialogElement === 'undefined') return;
  const dialog = document.createElement('dialog');
  const text = document.createElement('p');
  text.textContent = idleText;
  const stay = document.createElement('button');
  stay.type = 'button';
  stay.textContent = idleStay;
  dialog.append(text, stay);
  document.body.append(dialog);
  let timer;
  const begin = () => {
    clearTimeout(timer);
    timer = setTimeout(() => dialog.showModal(), 9 * 60 * 1000);
  };
  stay.addEventListener('click', async () => {
    await fetch('/session', { redirect: 'manual', cache: 'no-store' }).catch(() => {});
    dialog.close();
    begin();
  });
  begin();
};

for (const form of document.querySelectorAll('form[method=post]')) once(form);
for (const form of document.querySelectorAll('form[data-wait]')) wait(form);
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}
document.getElementById('errors')?.focus();
idle();
window.addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  // A page that comes back from the browser's memory may be of a session that has ended: it is asked for again.
  location.reload();
});
