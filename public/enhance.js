// What HTML alone can't do, for pages that work without it. No framework, no innerHTML; loaded with `defer` and a nonce.
const $$ = (selector, root = document) => root.querySelectorAll(selector);
const root = document.documentElement;
const say = (text) => { const line = document.getElementById('said'); if (line) line.textContent = text; };

// Leptos brings the islands to life once the page is idle, and sets no end to that: a page that is busy, or is not drawn, would stay as it is.
const whenIdle = window.requestIdleCallback?.bind(window);
if (whenIdle) window.requestIdleCallback = (callback, options) => whenIdle(callback, { timeout: 2000, ...options });

for (const el of $$('[data-js]')) el.hidden = false;
for (const el of $$('[data-nojs]')) el.hidden = true;
for (const field of $$('[data-time-zone]')) { field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? ''; field.disabled = false; }

// A dialog that the server rendered open becomes modal; Escape goes where its close link goes.
for (const dialog of $$('dialog[data-modal]')) {
  dialog.removeAttribute('open');
  dialog.showModal();
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    dialog.querySelector('[data-close]')?.click();
  });
}
// Once more when the page has loaded: a part that the address names (`#key`) is gone to before that.
const toSummary = () => document.querySelector('.error-summary')?.focus();
toSummary();
addEventListener('load', toSummary, { once: true });

// Pressing twice is safe on the server; the button says so too. Restored when the page comes back from the cache.
addEventListener('submit', ({ target, submitter }) => {
  if (target.matches('[data-theme-form], [data-download]') || target.method !== 'post') return;
  leaving = true;
  setTimeout(() => {
    for (const button of $$('button', target)) button.disabled = true;
    submitter?.setAttribute('aria-busy', 'true');
  });
});
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  leaving = false;
  for (const button of $$('form[method=post] button')) { button.disabled = false; button.removeAttribute('aria-busy'); }
});

// A one-time secret that was not copied yet.
let leaving = false;
addEventListener('beforeunload', (event) => {
  if (!leaving && document.querySelector('[data-guard]:not(.is-safe)')) event.preventDefault();
});
addEventListener('copy', ({ target }) => safe(target.closest?.('[data-guard]')));
// Its form asks whether it is stored: who copied it has said so.
function safe(guarded) {
  if (!guarded) return;
  guarded.classList.add('is-safe');
  for (const box of $$('input[name=stored]', guarded.closest('form') ?? guarded.parentElement)) box.checked = true;
}

// A file that is given once: it is fetched, so that the page can say when it is here, and kept until the page is left. What the server
// refuses it says itself, on a page.
const files = new WeakMap();
async function fetched(form) {
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
  const [, name] = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '') ?? [];
  return answer.ok && name ? { name, url: URL.createObjectURL(await answer.blob()) } : null;
}
addEventListener('submit', async (event) => {
  const { target: form, submitter } = event;
  if (!form.matches('[data-download]')) return;
  event.preventDefault();
  submitter.disabled = true;
  try {
    if (!files.has(form)) files.set(form, await fetched(form));
    const file = files.get(form);
    if (!file) return form.submit();
    const link = document.createElement('a');
    [link.href, link.download] = [file.url, file.name];
    link.click();
    document.getElementById(form.dataset.download).hidden = false;
    submitter.textContent = 'Save the file again';
  } catch {
    say('The file did not arrive. Try again.');
  }
  submitter.disabled = false;
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    return say('Press Ctrl C to copy what is selected');
  }
  safe(button.closest('[data-guard]'));
  const shown = button.closest('.copy-id') ?? button;
  shown.classList.add('is-copied');
  say('Copied');
  setTimeout(() => { shown.classList.remove('is-copied'); say(''); }, 1500);
}

function reveal(button) {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === 'password';
  field.type = shown ? 'text' : 'password';
  button.setAttribute('aria-pressed', String(shown));
}

// The vendored viewer of /docs/api knows dark by a class of its own.
const dark = matchMedia('(prefers-color-scheme: dark)');
function dressViewer() {
  if (document.getElementById('swagger-ui')) root.classList.toggle('dark-mode', root.dataset.theme ? root.dataset.theme === 'dark' : dark.matches);
}
dressViewer();
dark.addEventListener('change', dressViewer);

addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.copy) copy(button);
  if (button?.dataset.reveal) reveal(button);
  if (button?.dataset.print !== undefined) print();
  event.target.closest('.menu a')?.closest('[popover]')?.hidePopover?.(); // a file that is saved leaves the page as it is
  if (button?.form?.matches('[data-theme-form]')) {
    event.preventDefault();
    root.dataset.theme = button.value;
    dressViewer();
    document.cookie = `theme=${button.value}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
    for (const twin of $$('button', button.form)) if (twin !== button) twin.focus();
  }
});

// A select of a filter applies itself. Arrow keys and letters change it option by option: there Enter, or leaving it, says which one is meant.
// On a Mac they open its list.
const FILTER = '[data-autosubmit] select';
const STEPS = /^(Arrow|Page|Home|End|.$)/;
const opensLists = /Mac|iP/.test(navigator.platform);
function apply(select) {
  delete select.dataset.typed;
  select.form.requestSubmit();
}
addEventListener('keydown', ({ target, key, altKey }) => {
  if (!target.matches?.(FILTER)) return;
  if (key === 'Enter' && target.dataset.typed === 'changed') apply(target);
  else if (altKey || key === ' ') delete target.dataset.typed;
  else if (STEPS.test(key) && !opensLists) target.dataset.typed ??= '';
});
addEventListener('pointerdown', ({ target }) => delete target.closest?.(FILTER)?.dataset.typed);
addEventListener('change', ({ target }) => {
  if (!target.matches(FILTER)) return;
  if ('typed' in target.dataset) target.dataset.typed = 'changed';
  else apply(target);
});
addEventListener('focusout', ({ target }) => {
  // Another window is no other field.
  if (target.matches?.(FILTER) && target.dataset.typed === 'changed' && document.hasFocus()) setTimeout(() => apply(target));
});

// Many rows at once: the box in the head checks every row of its table, the bar says how many are checked.
const countChecked = () => {
  const [checked, all] = [$$('.row-check:checked').length, $$('.row-check').length];
  for (const head of $$('[data-check-all]')) { head.checked = checked === all; head.indeterminate = checked > 0 && checked < all; }
  for (const count of $$('[data-checked]')) count.textContent = `${checked} selected`;
};
addEventListener('change', ({ target }) => {
  if (target.matches('[data-check-all]')) for (const box of $$('.row-check', target.closest('table'))) box.checked = target.checked;
  if (target.matches('[data-check-all], .row-check')) countChecked();
});
addEventListener('reset', () => setTimeout(countChecked)); // the boxes are cleared after this event

// A whole key in a search or in "Find a key" is hashed here: it leaves the page only as its hashes (SHA-256, and SHA-512 for keys that
// were imported), and stands in no address.
const hashed = async (kind, secret) => {
  const digest = await crypto.subtle.digest(kind, new TextEncoder().encode(secret));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
};
const KEY = /[a-z][a-z0-9]{1,11}_(live|test)_[0-9A-Za-z]{36}/;
// Without this script the browser itself refuses a whole key in a search.
for (const field of $$('[data-hashed] input[pattern]')) { field.removeAttribute('pattern'); field.removeAttribute('title'); }
addEventListener('submit', (event) => {
  const form = event.target;
  const place = form.querySelector('[data-hashed]') ?? form.closest('[data-hashed]');
  const typed = place && form.querySelector('input[type=search], input[name=secret]').value.trim();
  // In a search it may stand among other words ("Bearer ..."); what is posted to be found may have any shape, as imported keys do.
  const secret = typed && (form.method === 'get' ? KEY.exec(typed)?.[0] : typed);
  if (!secret) return;
  const list = place.dataset.hashed;
  if (crypto.subtle) {
    event.preventDefault();
    event.stopImmediatePropagation();
    Promise.all([hashed('SHA-256', secret), hashed('SHA-512', secret)]).then((both) => location.assign(`${list}?hash=${both.join('.')}`));
  } else if (form.method === 'get') { // plain http has no WebCrypto; the form of /keys/find posts
    event.preventDefault();
    location.assign('/keys/find');
  }
}, true);

// How hard a new password is to guess: a hint while it is typed, in words, and a bar that is drawn at once. Only the server says what will do.
const STRENGTH = ['', 'Weak: easy to guess', 'Fair: another word makes it better', 'Good', 'Strong'];
function strengthOf(field, least) {
  const signs = [...field.value.normalize('NFKC')];
  const missing = least - signs.length;
  if (!signs.length) return [0, ''];
  if (missing > 0) return [0, `Too short: ${missing} more ${missing === 1 ? 'character' : 'characters'}`];
  const text = field.value.normalize('NFKC').toLowerCase();
  const own = ['name', 'email'].flatMap((name) => (field.form?.elements[name]?.value ?? '').toLowerCase().split(/[\s@.+_-]+/));
  if (own.some((word) => [...word].length >= 4 && text.includes(word))) return [1, 'Weak: your name or address is in it'];
  // What repeats itself or stands in a row (aaaa, 1234) says little.
  const fresh = signs.filter((sign, i) => !i || Math.abs(sign.codePointAt(0) - signs[i - 1].codePointAt(0)) > 1).length;
  const threes = new Set(signs.map((_, i) => signs.slice(i, i + 3).join(''))).size;
  const said = Math.min(fresh, threes, 3 * new Set(signs).size);
  const level = 1 + [12, 18, 25].filter((bound) => said >= bound).length;
  return [level, STRENGTH[level]];
}
let telling;
addEventListener('input', ({ target }) => {
  const hint = target.closest('.field')?.querySelector('[data-strength]');
  if (!hint) return;
  const [level, words] = strengthOf(target, Number(hint.dataset.strength));
  const [bar, line] = hint.children;
  bar.value = level;
  bar.hidden = !words;
  // Screen readers hear it when the typing rests.
  clearTimeout(telling);
  if (words) telling = setTimeout(() => { line.textContent = words; }, line.textContent ? 400 : 0);
  else line.textContent = '';
});

// Closing a dialog leads to a new page: what opened the dialog has the focus there again. The dialog's own page is the one that led here. A page
// that is loaded again or gone back to was led to by it, too: there nothing moves. Nor where a part of the page, or a field, is gone to.
const cameFrom = document.referrer;
const isNew = performance.getEntriesByType('navigation')[0]?.type === 'navigate' && !location.hash && document.activeElement === document.body;
const isTaken = document.querySelector('dialog[data-modal], .error-summary, [autofocus]');
if (isNew && !isTaken && /[?&]dialog=/.test(cameFrom) && cameFrom.split('?')[0] === location.href.split(/[?#]/)[0]) {
  const leads = (form) => `${cameFrom.split('?')[0]}?${new URLSearchParams(new FormData(form))}` === cameFrom;
  const link = [...$$('main a[href]')].find(({ href }) => href.split('#')[0] === cameFrom);
  const opened = link ?? [...$$('main form[method=get]')].find(leads)?.querySelector('button');
  // What stands in a menu is not there before that is opened: its button is.
  const menu = opened?.closest('[popover]');
  (menu ? [...$$('[popovertarget]')].find((button) => button.getAttribute('popovertarget') === menu.id) : opened)?.focus();
}

// A tooltip can be sent away without moving the pointer.
addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  for (const tip of $$('.has-tip')) {
    if (!tip.matches(':hover, :focus-within')) continue;
    tip.dataset.dismissed = '';
    for (const end of ['pointerleave', 'focusout']) tip.addEventListener(end, () => delete tip.dataset.dismissed, { once: true });
  }
});

// The same page again, after a form or a choice on it, begins where one was: as far down, and with the focus on what had it. Not where the
// server has something to say first, or another part of the page is gone to. The name of the window carries it over: it ends with the window, and
// nothing is written to the browser's storage.
const PLACE = 'place: ';
const named = (el) => [el.localName, el.name ?? '', el.ariaLabel ?? el.textContent].join('\n');
const alike = (name) => [...$$('main :is(a[href], button, input, select, textarea, summary)')].filter((el) => named(el) === name);
let looks = 0;
function keepPlace(looked = 0) {
  const el = document.activeElement;
  const name = el?.closest('main :is(a, button, input, select, textarea, summary)') ? named(el) : '';
  const known = name ? alike(name) : [];
  const place = { path: location.pathname, hash: location.hash, y: scrollY, at: Date.now(), name, of: known.length, nth: known.indexOf(el), looks: looked };
  window.name = PLACE + JSON.stringify(place);
}
addEventListener('submit', ({ target, defaultPrevented }) => {
  if (defaultPrevented || target.matches('[data-theme-form], [data-download]')) return;
  if (target.method === 'post' || target.matches('[data-autosubmit]')) keepPlace();
});
addEventListener('click', ({ target, defaultPrevented }) => {
  const link = target.closest?.('.segmented a, main td a');
  if (link && !defaultPrevented && link.pathname === location.pathname && link.search !== location.search) keepPlace();
});
function comeBack() {
  if (!window.name.startsWith(PLACE)) return;
  const place = JSON.parse(window.name.slice(PLACE.length));
  window.name = '';
  const isHere = place.path === location.pathname && Date.now() - place.at < 15_000 && (!location.hash || location.hash === place.hash);
  if (!isHere || performance.getEntriesByType('navigation')[0]?.type !== 'navigate' || document.querySelector('.error-summary')) return;
  looks = place.looks;
  // Where one of several is gone, the next one is not what was pressed.
  const known = place.name && !isTaken ? alike(place.name) : [];
  const pressed = known.length === place.of ? known[place.nth] : null;
  const go = () => {
    scrollTo({ top: place.y, behavior: 'instant' });
    if (document.activeElement === document.body) pressed?.focus({ preventScroll: true });
  };
  go();
  addEventListener('load', go, { once: true }); // once more after the part that the address names, which takes the focus away
}
comeBack();

// What grows by itself is looked at again, each time after longer and at last no more, while somebody looks, nobody types and nothing is refused.
const MOST_LOOKS = 20;
function lookAgain() {
  setTimeout(() => {
    if (document.hidden || document.querySelector('.error-summary, :popover-open') || document.activeElement?.matches('input, select, textarea, button')) return lookAgain();
    keepPlace(looks + 1);
    location.replace(location.href.split('#')[0]);
  }, 2_000 * 1.2 ** looks);
}
if (document.querySelector('[data-again]') && looks < MOST_LOOKS) lookAgain();
