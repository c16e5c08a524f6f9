// The case `sizes`: what a browser is sent that sees a page for the first time: the document and all that it names, compressed as the server
// sends it to a browser (brotli). The keys page has twenty keys with a year of calls. Bytes are the same on any machine.
import { call } from './machine.mjs';

const MOST = 200_000;
/** A page can be read and used before its WASM is there. */
const MOST_BEFORE_WASM = 50_000;
/** Of the docs the start and the longest page; a browser test looks at them all. */
const PAGES = ['/', '/sign-in', '/docs', '/docs/accounts', '/keys', '/usage'];
const SIGNED_IN = ['/keys', '/usage'];

export async function measure(bench) {
  const tollgate = await bench.product('sizes');
  await tollgate.start();
  tollgate.fill();
  tollgate.history();
  const cookie = await tollgate.signIn();
  const pages = [];
  for (const path of PAGES) {
    const headers = SIGNED_IN.includes(path) ? { Cookie: cookie } : {};
    const page = await sent(tollgate.url, path, headers);
    const files = [];
    for (const file of named(page.body)) files.push(await sent(tollgate.url, file, {}));
    pages.push({ path, html: page.plain, files: [page, ...files].map(({ path: of, encoding, bytes }) => ({ path: of, kind: kind(of), encoding, bytes })) });
  }
  return { pages };
}

/** The bytes of an answer as they come over the wire; of a document also its text and how long that is. */
async function sent(url, path, headers) {
  const accept = { ...headers, Accept: 'text/html,*/*' };
  const answer = await call(url + path, { headers: { ...accept, 'Accept-Encoding': 'br' } });
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  const encoding = answer.headers.find(([name]) => name === 'content-encoding')?.[1] ?? 'none';
  if (path.includes('.')) return { path, encoding, bytes: answer.bytes };
  const plain = await call(url + path, { headers: accept });
  return { path, encoding, bytes: answer.bytes, plain: plain.bytes, body: plain.body };
}

/** The files of the site that a document names: styles, scripts, WASM, the icon. */
function named(html) {
  const found = [...html.matchAll(/<(?:link|script)\b[^>]*?\b(?:href|src)="(\/[^"]+\.(?:css|js|wasm|svg))"/g)].map(([, path]) => path);
  return [...new Set(found)];
}

const kind = (path) => path.match(/\.(\w+)$/)?.[1] ?? 'html';

export function report({ pages }, say) {
  say('');
  for (const { path, html, files } of pages) {
    const sum = (...kinds) => files.filter((file) => kinds.length === 0 || kinds.includes(file.kind)).reduce((bytes, file) => bytes + file.bytes, 0);
    const all = sum();
    const before = all - sum('wasm');
    const parts = ['html', 'css', 'js', 'wasm', 'svg'].map((one) => `${one} ${sum(one)}`).join(', ');
    say(`${path.padEnd(13)} ${all} bytes: ${parts}; the HTML is ${html} before it is compressed`);
    const judged = (bytes, most) => `${(bytes / 1000).toFixed(1)} kB: ${bytes <= most ? 'met' : 'missed'} (at most ${most / 1000} kB)`;
    say(`${''.padEnd(13)} first visit ${judged(all, MOST)}; before its WASM ${judged(before, MOST_BEFORE_WASM)}`);
    for (const { path: file, encoding } of files) if (encoding === 'none' && !file.endsWith('.svg')) say(`${''.padEnd(13)} ${file} is not compressed`);
  }
}
