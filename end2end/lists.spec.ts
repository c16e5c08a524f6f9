// Lists: many keys from one, with the file of their secrets; keys of another system by their hashes; a file prepared by a job; and a
// call signed on the page that builds it.
import type { Page } from '@playwright/test';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { accessible, hydrated, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

async function developer(page: Page, product: Product): Promise<string> {
  const person = somebody('lists');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  return person.email;
}

/** What a proxy is told about a call with this secret. */
async function call(product: Product, secret: string, more: Record<string, string> = {}): Promise<number> {
  const headers = { Authorization: `Bearer ${secret}`, 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/orders', 'X-Forwarded-Host': 'api.example.com', ...more };
  return (await fetch(`${product.url}/forward-auth/demo`, { headers })).status;
}

async function createMany(page: Page, product: Product, scripts: boolean): Promise<void> {
  await developer(page, product);
  await page.goto('/keys/create-many');
  await page.getByRole('combobox', { name: 'API' }).selectOption('demo');
  await page.getByLabel('List').fill('name,expires\ntill 1,30d\ntill 2,yesterday\n');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.getByRole('main')).toContainText('1 line is wrong');
  await noHorizontalScroll(page);
  await page.getByLabel('List').fill('name,expires\ntill 1,30d\ntill 2,never\n');
  await page.getByRole('button', { name: 'Preview' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Create 2 keys and save the file' }).click()]);
  const secrets = (await readFile(await download.path(), 'utf8')).match(/demo_live_[0-9A-Za-z]{36}/g) ?? [];
  expect(secrets.length).toBe(2);
  if (scripts) {
    await expect(page.getByText('2 keys created.'), 'the page says that the file is here').toBeVisible();
    const [again] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the file again' }).click()]);
    expect(await readFile(await again.path(), 'utf8')).toContain(secrets[0]);
  }
  for (const secret of secrets) expect(await call(product, secret)).toBe(200);
  await page.goto('/keys');
  await expect(page.getByRole('row', { name: 'till 2' })).toBeVisible();
}

async function importHashes(page: Page, product: Product): Promise<void> {
  await developer(page, product);
  const secret = `old-system-${process.pid}-${Date.now()}`;
  const hash = createHash('sha256').update(secret).digest('hex');
  await page.goto('/keys/import');
  await page.getByRole('combobox', { name: 'API' }).selectOption('demo');
  await page.getByLabel('List').fill(`name,hash\nfrom the old system,${hash}\nbroken,xyz\n`);
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.getByRole('row', { name: /broken/ })).toContainText('Not imported');
  await noHorizontalScroll(page);
  expect(await call(product, secret), 'looking imports nothing').toBe(401);
  await page.getByRole('button', { name: 'Import 1 key' }).click();
  await expect.poll(() => call(product, secret)).toBe(200);
  await page.goto('/keys');
  await expect(page.getByRole('row', { name: 'from the old system' })).toBeVisible();
}

async function preparedFile(page: Page, product: Product, scripts: boolean): Promise<void> {
  const email = await developer(page, product);
  const made = JSON.parse(await product.cli(['key', 'create', '--account', email, '--api', 'demo', '--name', 'exported', '--json'])) as { secret: string };
  await expect.poll(() => call(product, made.secret)).toBe(200);
  await page.goto('/keys');
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('link', { name: 'Prepare a file' }).click();
  await page.getByRole('button', { name: 'Prepare the file' }).click();
  if (scripts) {
    await expect(page.getByRole('link', { name: /^Download/ }), 'the page looks again by itself').toBeVisible({ timeout: 20_000 });
  } else {
    await expect(async () => {
      await page.goto('/exports');
      await expect(page.getByRole('link', { name: /^Download/ })).toBeVisible({ timeout: 500 });
    }).toPass();
  }
  await noHorizontalScroll(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download/ }).click()]);
  const text = await readFile(await download.path(), 'utf8');
  expect(text).toContain('exported');
  expect(text, 'no secrets').not.toContain(made.secret);
}

function withAndWithoutJavaScript(title: string, journey: (page: Page, product: Product, scripts: boolean) => Promise<void>): void {
  test(title, async ({ page, product, complaints }) => {
    complaints.allow(/422/);
    await journey(page, product, true);
  });
  test.describe('without JavaScript', () => {
    test.use({ javaScriptEnabled: false });
    test(title, async ({ page, product, complaints }) => {
      complaints.allow(/422/);
      await journey(page, product, false);
    });
  });
}

withAndWithoutJavaScript('many keys are made from a list, and their file is given once', createMany);
withAndWithoutJavaScript('keys of another system go on by their hashes', importHashes);
withAndWithoutJavaScript('a file is prepared by a job and fetched', preparedFile);

test('a key asks for signatures, and a call that is signed passes once', async ({ page, product, complaints }) => {
  complaints.allow(/422/);
  const email = await developer(page, product);
  const made = JSON.parse(await product.cli(['key', 'create', '--account', email, '--api', 'demo', '--name', 'signed', '--json'])) as { id: string; secret: string };
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  await page.goto(`/keys/${made.id}`);
  await page.getByText('Turn on signed requests').click();
  const form = page.getByRole('form', { name: 'Sign with ed25519' });
  await form.getByLabel('Public key (ed25519)').fill(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  await form.getByRole('button', { name: 'Ask for signatures' }).click();
  await expect(page.getByRole('main')).toContainText('ed25519, with your private key');
  await hydrated(page);
  await accessible(page);
  await noHorizontalScroll(page);
  await expect.poll(() => call(product, made.secret), 'unsigned').toBe(403);

  const parameters = `("@method" "@authority" "@target-uri" "authorization");created=${Math.floor(Date.now() / 1000)};nonce="n-${process.pid}-${Date.now()}";keyid="${made.id}";alg="ed25519"`;
  const base = [
    '"@method": GET', '"@authority": api.example.com', '"@target-uri": https://api.example.com/orders',
    `"authorization": Bearer ${made.secret}`, `"@signature-params": ${parameters}`,
  ].join('\n');
  const signed = { 'Signature-Input': `sig1=${parameters}`, Signature: `sig1=:${sign(null, Buffer.from(base), privateKey).toString('base64')}:` };
  expect(await call(product, made.secret, signed)).toBe(200);
  expect(await call(product, made.secret, signed), 'a signature counts once').toBe(403);
});
