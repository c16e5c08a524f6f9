// `tollgate login`, `whoami`, `logout` as a person uses them: the program shows a code, the browser lets it in, turns it away or
// ends it. What the server answers to each question of the device flow is tested with its clock in src/tests/accounts/programs.
import type { Page } from '@playwright/test';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessible, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import type { Ended, Product, Program } from './support/product';
import { expect, test as base } from './support/test';

/** A user of this machine: a configuration folder, and commands that know no other. */
class Terminal {
  constructor(private readonly product: Product, private readonly folder: string) {}

  get file(): string { return join(this.folder, 'tollgate', 'login.json'); }

  run(...args: string[]): Program {
    return this.product.program(args, { XDG_CONFIG_HOME: this.folder, HOME: this.folder });
  }

  async kept(): Promise<{ url: string; access_token: string; refresh_token: string }> {
    return JSON.parse(await readFile(this.file, 'utf8')) as { url: string; access_token: string; refresh_token: string };
  }
}

const test = base.extend<{ terminal: Terminal }>({
  terminal: async ({ product }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'terminal-'));
    await use(new Terminal(product, folder));
    await rm(folder, { recursive: true });
  },
});

const REFUSED = 4;

/** Where the program sends its person, once it has said so. */
async function pageOf(program: Program): Promise<{ url: string; code: string }> {
  const [, url, code] = await program.says(/open (\S+\/device\?user_code=\S+) in a browser and check that it shows the code ([A-Z]{4}-[A-Z]{4})/);
  await program.says(/waiting until you approve it there/);
  return { url, code };
}

async function ended(program: Program): Promise<Ended> {
  const end = await program.ended;
  expect(end.out + end.err, 'no token is shown').not.toMatch(/tg[ar]_/);
  return end;
}

async function refused(program: Program, words: RegExp): Promise<void> {
  const { code, out, err } = await ended(program);
  expect(err).toMatch(words);
  expect({ code, out }).toEqual({ code: REFUSED, out: '' });
}

async function journey(page: Page, product: Product, terminal: Terminal): Promise<void> {
  const person = somebody('program');
  await signUp(page, product.mailbox, person);
  await refused(terminal.run('whoami'), /nobody is signed in here\. Run tollgate login\./);

  const login = terminal.run('login', '--url', product.url, '--name', 'nightly backup');
  const { url, code } = await pageOf(login);
  await page.goto(url); // by somebody who has to sign in first
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/device\\?user_code=${code}$`));
  await expect(page.getByRole('main')).toContainText(code);
  await expect(page.getByRole('main')).toContainText('nightly backup');
  await noHorizontalScroll(page);
  await page.getByRole('button', { name: 'Approve' }).click();
  await expect(page).toHaveURL(/\/settings\/sessions$/);

  const signedIn = await ended(login);
  expect(signedIn.out).toContain(`Signed in at ${product.url}/ as ${person.email}. The tokens are in ${terminal.file}.`);
  expect(signedIn.code).toBe(0);
  expect((await stat(terminal.file)).mode & 0o777, 'readable by its user only').toBe(0o600);
  await product.mailbox.waitFor({ to: person.email, subject: /nightly backup|program/i });
  await page.reload();
  await expect(page.getByRole('main')).toContainText('nightly backup');

  const me = JSON.parse((await ended(terminal.run('whoami', '--json'))).out) as { email: string; permissions: string[] };
  expect(me.email).toBe(person.email);
  expect((await ended(terminal.run('whoami'))).out).toContain(`<${person.email}> at ${product.url}/`);

  const tokens = await terminal.kept();
  expect(await ended(terminal.run('logout'))).toMatchObject({ code: 0, out: `Signed out at ${product.url}/.\n` });
  await refused(terminal.run('whoami'), /nobody is signed in here/);
  await page.reload();
  await expect(page.getByRole('main')).not.toContainText('nightly backup');
  // Who copied the file before has nothing of it.
  await writeFile(terminal.file, JSON.stringify(tokens));
  const asked = await fetch(`${product.url}/api/v1/me`, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
  expect(asked.status).toBe(401);
  await refused(terminal.run('whoami'), /this sign-in has ended\. Run tollgate login\./);
  expect((await ended(terminal.run('logout'))).out, 'twice').toContain('Nobody is signed in here.');
}

test('a program is let in, says who it is, and signs out', async ({ page, product, terminal }) => {
  await journey(page, product, terminal);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, terminal }) => {
    await journey(page, product, terminal);
  });
});

test('a program that is denied says so; one that is signed out on the page Sessions, too', async ({ page, product, terminal }) => {
  const person = somebody('denied');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);

  const denied = terminal.run('login', '--url', product.url);
  await page.goto((await pageOf(denied)).url);
  await accessible(page);
  await page.getByRole('button', { name: 'Deny' }).click();
  await refused(denied, /The person said no\./);
  await expect(stat(terminal.file), 'nothing is kept').rejects.toThrow(/ENOENT/);

  const login = terminal.run('login', '--url', product.url, '--name', 'left behind');
  await page.goto('/device'); // typed by hand, in small letters
  await page.getByLabel('Code').fill((await pageOf(login)).code.toLowerCase());
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Approve' }).click();
  expect((await ended(login)).code).toBe(0);
  await page.goto('/settings/sessions');
  await page.getByRole('button', { name: /left behind/ }).click();
  await expect(page.getByRole('button', { name: /left behind/ })).toHaveCount(0);
  await refused(terminal.run('whoami'), /this sign-in has ended\. Run tollgate login\./);
});

test('a code that ran out says so', async ({ terminal }) => {
  // The real one lives for ten minutes: here a server gives it two seconds, and another says that it is too late.
  const asked = { device_code: 'd', user_code: 'WXZB-CDFG', verification_uri_complete: 'http://127.0.0.1/device?user_code=WXZB-CDFG', interval: 1 };
  const waits = await answering({ '/api/v1/auth/device': [200, { ...asked, expires_in: 2 }], '/api/v1/auth/token': [400, { error: 'authorization_pending' }] });
  const late = await answering({
    '/api/v1/auth/device': [200, { ...asked, expires_in: 600 }],
    '/api/v1/auth/token': [400, { error: 'expired_token', detail: 'This took too long. Begin again.' }],
  });
  try {
    await refused(terminal.run('login', '--url', waits.url), /nobody approved it in time\. Run tollgate login again\./);
    await refused(terminal.run('login', '--url', late.url), /This took too long\. Begin again\./);
  } finally {
    waits.server.close();
    late.server.close();
  }
});

test('what is no Tollgate, or is not there, is named', async ({ product, terminal }) => {
  const failed = async (url: string) => {
    const { code, err } = await ended(terminal.run('login', '--url', url));
    expect(code).toBe(1);
    return err;
  };
  expect(await failed('http://tollgate.example')).toContain('Use https.');
  expect(await failed('http://127.0.0.1:1')).toContain("http://127.0.0.1:1 can't be reached");
  const other = await answering({});
  expect(await failed(other.url)).toContain("something that is no Tollgate's answer");
  other.server.close();
  expect((await ended(terminal.run('login', '--url', 'not an address'))).code).toBe(2);
  expect((await ended(terminal.run('login', '--dry-run'))).out, 'its own, unless told otherwise').toContain(`Would sign in at ${product.url}`);
});

/** A server that gives these answers, and a page of text for everything else. */
async function answering(answers: Record<string, [number, object]>): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, '<h1>Not here</h1>'];
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
