// The proxies of the documentation, for real: what `/docs/proxies` shows is the files of examples/orders, and is run in nginx and Caddy as it
// stands, with other addresses; the same questions go to the whole example.
import type { Page } from '@playwright/test';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Keyring, signature, type Key } from './support/gate';
import { startOrders } from './support/orders';
import { signIn } from './support/people';
import { freePort, type Product } from './support/product';
import { startCaddy, startNginx, startUpstream, type Arrived, type Server } from './support/proxies';
import { expect, test as base } from './support/test';

interface Proxies {
  keyring: Keyring;
  /** Stops what it is given when the test ends. */
  uses: <T extends { stop(): Promise<void> }>(starting: Promise<T>) => Promise<T>;
}

const test = base.extend<Proxies>({
  keyring: async ({ product }, use) => use(await Keyring.open(product)),
  uses: async ({}, use) => {
    const started: { stop(): Promise<void> }[] = [];
    await use(async (starting) => {
      const one = await starting;
      started.push(one);
      return one;
    });
    await Promise.all(started.map((one) => one.stop()));
  },
});

const example = (file: string) => readFile(fileURLToPath(new URL(`../examples/orders/${file}`, import.meta.url)), 'utf8');

/** A configuration of `/docs/proxies`, which is a file of the example, with the addresses of this test in place of those that stand there. */
async function documented(page: Page, product: Product, upstream: Server, id: string, file: string): Promise<string> {
  await page.goto('/docs/proxies');
  const code = await page.locator(`pre#${id}`).textContent() ?? '';
  expect(code).toBe((await example(file)).trimEnd());
  return code.replaceAll('127.0.0.1:3000', new URL(product.url).host).replaceAll('127.0.0.1:4000', upstream.address);
}
const nginxOf = (page: Page, product: Product, upstream: Server) => documented(page, product, upstream, 'nginx', 'nginx.conf');
const caddyOf = (page: Page, product: Product, upstream: Server) => documented(page, product, upstream, 'caddy', 'Caddyfile');

/** What a key needs for each method of the example. */
const WRITES = ['--permission', 'orders:read', '--permission', 'orders:write'];

const bearer = (key: Key) => ({ Authorization: `Bearer ${key.secret}` });

/** What a client may say of itself, and the service must not believe. */
const FORGED = {
  'X-Key-Id': 'key_forged', 'X-Key-Owner': 'acc_forged', 'X-Key-Plan': 'forged', 'X-Key-Permissions': 'forged', 'X-Key-Entitlements': 'forged',
  'X-External-Id': 'forged', 'X-Over-Limit': 'forged', 'X-Hold': 'forged',
  X_Key_Id: 'forged', 'X-Key_Owner': 'forged', 'X.Key.Plan': 'forged', X_Over_Limit: 'forged', // which some services read as the same
};
/** Nor may these turn the question to another call. */
const ELSEWHERE = { 'X-Original-Method': 'OPTIONS', 'X-Original-URI': '/else', 'X-Forwarded-Method': 'OPTIONS', 'X-Forwarded-Uri': '/else', 'X-Forwarded-Host': 'else.example' };

/** What holds behind every proxy: who calls is told truly, what is called reaches the gate, and no answer is remembered. */
async function asks(proxy: Server, product: Product, keyring: Keyring): Promise<void> {
  const key = await keyring.key('behind a proxy');
  const passed = await fetch(`${proxy.url}/orders/7?page=2`, { headers: { ...bearer(key), 'X-API-Key': key.secret, ...FORGED, ...ELSEWHERE } });
  expect(passed.status).toBe(200);
  expect(passed.headers.get('ratelimit-policy'), 'told also where it passes').toMatch(/^"default";q=\d+;w=\d+$/);
  expect(passed.headers.get('ratelimit')).toMatch(/^"default";r=\d+;t=\d+$/);
  const arrived = (await passed.json()) as Arrived;
  expect(arrived).toMatchObject({ method: 'GET', target: '/orders/7?page=2' });
  expect(arrived.headers['x-key-id']).toBe(key.id);
  expect(arrived.headers['x-key-owner']).toMatch(/^acc_[0-9A-Z]{26}$/);
  expect(JSON.stringify(arrived.headers)).not.toContain('forged');
  expect(JSON.stringify(arrived.headers), 'the secret ends at the proxy').not.toContain(key.secret);
  for (const name of ['x-external-id', 'x-over-limit', 'x-hold', 'x-key-entitlements']) expect(arrived.headers, 'nothing was said of it').not.toHaveProperty(name);

  const { headers: kept } = await calling(`${proxy.url}/orders`, { ...bearer(key), Connection: 'close, X-Key-Id, x-key-OWNER' });
  expect([kept['x-key-id'], kept['x-key-owner']], 'not dropped by who names it in Connection').toEqual([key.id, arrived.headers['x-key-owner']]);

  for (const [headers, code] of [[undefined, 'MISSING'], [{ Authorization: 'Bearer demo_live_guessed' }, 'MALFORMED']] as const) {
    const refused = await fetch(`${proxy.url}/orders`, { headers });
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer realm="demo"/);
    await saysWhy(refused, 401, code);
  }

  await product.cli(['key', 'disable', key.id]);
  await saysWhy(await fetch(`${proxy.url}/orders`, { headers: bearer(key) }), 401, 'DISABLED'); // the very next call
  await product.cli(['key', 'enable', key.id]);
  expect((await fetch(`${proxy.url}/orders`, { headers: bearer(key) })).status).toBe(200);
}

/** What reached the service of a call with fields that `fetch` does not send. */
function calling(url: string, headers: Record<string, string>): Promise<Arrived> {
  return new Promise((done, failed) => {
    get(url, { headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => done(JSON.parse(text) as Arrived));
    }).on('error', failed);
  });
}

/** A refusal as the holder of a key reads it: a problem with the code, and a sentence that says what to do. */
async function saysWhy(answer: Response, status: number, code: string): Promise<void> {
  expect(answer.status, code).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const problem = (await answer.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ status, code });
  expect(answer.headers.get('x-auth-code')).toBe(code);
  expect(problem.detail).toMatch(/^[A-Z].{15,}\.$/);
}

/** A key whose calls must be signed: as signed they pass once, and nothing else passes. `said` reads what a refusal tells. */
async function checksSignatures(proxy: string, keyring: Keyring, said: (answer: Response, words: RegExp) => Promise<void>): Promise<void> {
  const key = await keyring.key('signed', ...WRITES);
  const hand = await keyring.signs(key);
  const target = `${proxy}/orders?page=2&of=%C3%A4`;
  const call = (url: string, fields: Record<string, string>, method = 'GET') => fetch(url, { method, headers: { ...bearer(key), ...fields } });
  const refused = async (answer: Response, words: RegExp) => {
    expect(answer.status).toBe(403);
    await said(answer, words);
  };

  await refused(await call(target, {}), /must be signed/);
  const fields = signature(key, hand, 'GET', target);
  await refused(await call(`${proxy}/orders?page=3&of=%C3%A4`, fields), /is wrong/);
  await refused(await call(`${proxy}/order?page=2&of=%C3%A4`, fields), /is wrong/);
  await refused(await call(target, fields, 'DELETE'), /is wrong/);
  await refused(await call(`${proxy}/order?page=2`, { ...fields, ...ELSEWHERE, 'X-Original-URI': '/orders?page=2&of=%C3%A4', 'X-Forwarded-Uri': '/orders?page=2&of=%C3%A4' }), /is wrong/);
  expect((await call(target, fields)).status, 'it was altered, not used').toBe(200);
  await refused(await call(target, fields), /was used before/);
  expect((await call(target, signature(key, hand, 'GET', target))).status, 'another nonce').toBe(200);
}

test('nginx as documented', async ({ page, product, keyring, uses }) => {
  const upstream = await uses(startUpstream());
  const config = await nginxOf(page, product, upstream);
  const nginx = await uses(startNginx(config));
  await asks(nginx, product, keyring);

  const limited = await keyring.key('limited');
  await product.cli(['key', 'set-limit', limited.id, '--limit', '1', '--window', '86400']);
  expect((await fetch(`${nginx.url}/orders`, { headers: bearer(limited) })).status).toBe(200);
  const over = await fetch(`${nginx.url}/orders`, { headers: bearer(limited) });
  expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
  await saysWhy(over, 429, 'QUOTA_EXCEEDED');
  await product.cli(['block', 'add', limited.id, '--reason', 'it floods us']);
  const blocked = await fetch(`${nginx.url}/orders`, { headers: bearer(limited) });
  expect(blocked.status).toBe(403);
  const about = { type: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected', code: 'BANNED', 'violated-policies': ['block-key'] };
  expect(await blocked.json()).toMatchObject(about);
  const mistyped = await uses(startNginx(config.replace('/forward-auth/demo/', '/forward-auth/demoo/')));
  await saysWhy(await fetch(`${mistyped.url}/orders`, { headers: bearer(limited) }), 500, 'MISCONFIGURED');

  await saysItself(nginx, config, product, upstream, keyring, uses);

  await checksSignatures(nginx.url, keyring, async (answer, words) => expect(await answer.text()).toMatch(words));
  await commandsOfThePagePass(page, nginx, keyring);
});

/** What nginx says itself, where Tollgate or the service gives no answer or the call is too long, is a problem as every other refusal. */
async function saysItself(nginx: Server, config: string, product: Product, upstream: Server, keyring: Keyring, uses: Proxies['uses']): Promise<void> {
  const key = await keyring.key('without an answer', ...WRITES);
  const nowhere = `127.0.0.1:${await freePort()}`;
  const [unchecked, unanswered] = [new URL(product.url).host, upstream.address].map((gone) => uses(startNginx(config.replaceAll(gone, nowhere))));
  const answers = [
    [503, await fetch(`${(await unchecked).url}/orders`, { headers: bearer(key) })],
    [502, await fetch(`${(await unanswered).url}/orders`, { headers: bearer(key) })],
    [413, await fetch(`${nginx.url}/orders`, { method: 'POST', headers: bearer(key), body: 'x'.repeat(1_100_000) })],
  ] as const;
  for (const [status, answer] of answers) {
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const id = answer.headers.get('x-request-id');
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await answer.json()).toMatchObject({ status, request_id: id });
    expect(Number(answer.headers.get('retry-after')) > 0, 'only what passes by itself is worth a time').toBe(status === 503);
  }
}

/** The page Sign a call gives commands that sign and send one call: run as they stand, they pass once. */
async function commandsOfThePagePass(page: Page, proxy: Server, keyring: Keyring): Promise<void> {
  const key = await keyring.key('by hand', ...WRITES);
  const folder = await mkdtemp(join(tmpdir(), 'signing-'));
  await writeFile(join(folder, 'private.pem'), (await keyring.signs(key)).export({ type: 'pkcs8', format: 'pem' }));
  await signIn(page, keyring.person);
  await page.goto(`/keys/${key.id}/sign`);
  await page.getByLabel('Method').selectOption('POST');
  await page.getByLabel('URL').fill(`${proxy.url}/orders?page=2`);
  await page.getByLabel('Body').fill('{"item": "Teapot, Bob\'s"}');
  await page.getByRole('button', { name: 'Sign', exact: true }).click();
  const commands = await Promise.all(['sign', 'curl'].map((id) => page.locator(`pre#${id}`).textContent()));
  const run = async () => (await promisify(execFile)('bash', ['-c', commands.join('\n')], { cwd: folder, env: { PATH: process.env.PATH, KEY: key.secret } })).stdout;
  const passed = await run();
  expect(passed).toMatch(/^HTTP\/1\.1 200/);
  expect(passed).toContain('"content-digest":"sha-256=:');
  expect(await run(), 'a second time').toMatch(/^HTTP\/1\.1 403/);
  await rm(folder, { recursive: true });
}

test('Caddy as documented', async ({ page, product, keyring, uses }) => {
  const caddy = await uses(startCaddy(await caddyOf(page, product, await uses(startUpstream()))));
  await asks(caddy, product, keyring);
  await checksSignatures(caddy.url, keyring, async (answer, words) => {
    expect(answer.headers.get('accept-signature')).toMatch(/^sig1=\("@method"/);
    expect(await answer.text()).toMatch(words);
  });

  const limited = await keyring.key('limited');
  await product.cli(['key', 'set-limit', limited.id, '--limit', '1', '--window', '86400']);
  expect((await fetch(`${caddy.url}/orders`, { headers: bearer(limited) })).status).toBe(200);
  await toldOfTheLimit(await fetch(`${caddy.url}/orders`, { headers: bearer(limited) }));
});

/** A refusal for a limit as a client reads it: a problem, and the fields that say when to try again. */
async function toldOfTheLimit(answer: Response): Promise<void> {
  expect(answer.status).toBe(429);
  expect(answer.headers.get('ratelimit-policy')).toBe('"default";q=1;w=86400');
  expect(answer.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const problem = (await answer.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: 'https://iana.org/assignments/http-problem-types#quota-exceeded', status: 429, 'violated-policies': ['default'] });
  expect(problem.request_id).toMatch(/^\S{10,}$/);
}

test('preflights as documented', async ({ page, product, keyring, uses }) => {
  const origin = 'https://app.example.com';
  const key = await keyring.key('in a web page', '--origin', origin);
  await keyring.rest('PATCH', '/apis/demo', { answers_preflights: true });
  try {
    const upstream = await uses(startUpstream());
    const caddy = await uses(startCaddy(await caddyOf(page, product, upstream)));
    const nginx = await uses(startNginx(await nginxOf(page, product, upstream)));
    for (const { url } of [caddy, nginx]) {
      const asked = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };
      const may = await fetch(`${url}/orders`, { method: 'OPTIONS', headers: { Origin: origin, ...asked } });
      expect(may.status).toBe(204);
      expect(may.headers.get('access-control-allow-origin')).toBe(origin);
      expect(may.headers.get('access-control-allow-methods')).toContain('POST');
      expect(may.headers.get('access-control-allow-headers')).toContain('authorization');
      const mayNot = await fetch(`${url}/orders`, { method: 'OPTIONS', headers: { Origin: 'https://else.example', ...asked } });
      expect(mayNot.status).toBe(403);
      expect(mayNot.headers.get('access-control-allow-origin')).toBeNull();

      const passed = await fetch(`${url}/orders`, { headers: { Origin: origin, ...bearer(key), ...FORGED } });
      expect(passed.status).toBe(200);
      expect(passed.headers.get('access-control-allow-origin')).toBe(origin);
      expect(passed.headers.get('vary')).toContain('Origin');
      expect(passed.headers.get('access-control-expose-headers')).toContain('RateLimit-Policy');
      const { headers } = (await passed.json()) as Arrived;
      expect(headers['x-key-id']).toBe(key.id);
      expect(JSON.stringify(headers)).not.toContain('forged');
      expect((await fetch(`${url}/orders`, { headers: { Origin: 'https://else.example', ...bearer(key) } })).status).toBe(403);
    }
  } finally {
    await keyring.rest('PATCH', '/apis/demo', { answers_preflights: false });
  }
});

test('the example: limits, signatures and origins behind nginx and Caddy', async ({ product, keyring, uses }) => {
  const orders = await uses(startOrders(product.url));
  for (const proxy of [orders.nginx, orders.caddy]) {
    const limited = await keyring.key('limited');
    await product.cli(['key', 'set-limit', limited.id, '--limit', '1', '--window', '86400']);
    const passed = await fetch(`${proxy}/orders`, { headers: { ...bearer(limited), ...FORGED, ...ELSEWHERE } });
    expect(passed.status).toBe(200);
    expect(passed.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
    expect(((await passed.json()) as { caller: { key_id: string } }).caller.key_id).toBe(limited.id);
    await toldOfTheLimit(await fetch(`${proxy}/orders`, { headers: bearer(limited) }));
    await product.cli(['key', 'disable', limited.id]);
    await saysWhy(await fetch(`${proxy}/orders`, { headers: bearer(limited) }), 401, 'DISABLED');
    await saysWhy(await fetch(`${proxy}/orders`), 401, 'MISSING');

    await checksSignatures(proxy, keyring, async (answer) => {
      expect(answer.headers.get('accept-signature')).toMatch(/^sig1=\("@method"/);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(await answer.json()).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    });

    const web = await keyring.key('in a web page', '--origin', 'https://app.example.com');
    const from = async (origin: string) => (await fetch(`${proxy}/orders`, { headers: { ...bearer(web), Origin: origin } })).status;
    expect(await from('https://app.example.com')).toBe(200);
    expect(await from('https://else.example')).toBe(403);
  }
});

test('Traefik and Envoy as documented remove what only the gate says, however a client spells it', async () => {
  const [traefik, envoy] = await Promise.all([example('traefik.yaml'), example('envoy.yaml')]);
  const ofTraefik = new RegExp(/authResponseHeadersRegex: '\(\?i\)(.+)'/.exec(traefik)?.[1] ?? '$^', 'i');
  const ofEnvoy = new RegExp(`^(?:${/regex: '(.+)' }/.exec(envoy)?.[1] ?? '$^'})$`); // a whole name, in lower case
  for (const name of Object.keys(FORGED)) {
    for (const spelled of [name, name.replaceAll('-', '_'), name.replace('-', '~')]) {
      expect([ofTraefik.test(spelled), ofEnvoy.test(spelled.toLowerCase())], spelled).toEqual([true, true]);
    }
  }
  for (const other of ['X-Keyboard', 'X-Holder', 'X-Over-Limits', 'X-External-Idea', 'Key-Id', 'X-Request-Id', 'X-Forwarded-For', 'Authorization']) {
    expect([ofTraefik.test(other), ofEnvoy.test(other.toLowerCase())], other).toEqual([false, false]);
  }
});
