// The whole path: sign up, prove the address, make a key, call a protected API with it, see the call in the chart.
import type { Page } from '@playwright/test';
import { startOrders, type Orders } from './support/orders';
import { signIn, signUp, somebody } from './support/people';
import { expect, test } from './support/test';
import type { Product } from './support/product';

let orders: Orders | undefined;
test.afterAll(async () => orders?.stop());

/** Makes a key on /keys with its offered defaults and returns its secret. */
async function makeKey(page: Page, name: string): Promise<string> {
  await page.goto('/keys');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Name', { exact: true }).press('Enter');
  const secret = await page.getByTestId('secret').innerText();
  expect(secret.trim()).toMatch(/^demo_live_[0-9A-Za-z]{36}$/);
  return secret.trim();
}

/** So many calls stand on /usage for the last day: above the chart, in its drawing, and in the bucket of its table that is now. The page is asked
 * again until they are there. */
async function seesCalls(page: Page, passed: number): Promise<void> {
  await expect(async () => {
    await page.goto('/usage?range=24h');
    const figure = page.locator('.figure', { hasText: 'Passed' });
    await expect(figure).toContainText(String(passed), { timeout: 500 });
  }).toPass();
  const chart = page.locator('#usage');
  await expect(chart.getByRole('img', { name: new RegExp(`: ${passed} passed`) })).toBeVisible();
  await expect(chart.locator('.plot rect.s-passed')).not.toHaveCount(0);
  await chart.getByText('Table', { exact: true }).click();
  await expect(chart.getByRole('table')).toBeVisible();
  const buckets = (await chart.locator('tbody tr td:nth-of-type(1)').allInnerTexts()).map(Number);
  expect(buckets).toHaveLength(24);
  const [now, before] = buckets; // newest first; the hour may have turned between two calls
  expect(now + before, `of this hour: ${buckets.join(', ')}`).toBe(passed);
}

async function journey(page: Page, product: Product): Promise<void> {
  orders ??= await startOrders(product.url);
  const person = somebody('shop');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const secret = await makeKey(page, 'checkout service');

  for (const proxy of [orders.nginx, orders.caddy]) {
    expect((await fetch(`${proxy}/orders`)).status, 'without a key').toBe(401);
    const passed = await fetch(`${proxy}/orders`, { headers: { Authorization: `Bearer ${secret}` } });
    expect(passed.status).toBe(200);
    expect(passed.headers.get('ratelimit-policy')).toBe('"default";q=100;w=3600');
    expect((await fetch(`${proxy}/orders/ord_1`, { headers: { 'X-API-Key': secret } })).status).toBe(200);
  }
  await seesCalls(page, 4);
  await expect(page.getByRole('main')).toContainText('GET /orders/{id}');

  await page.goto('/keys');
  await expect(page.getByRole('row', { name: /checkout service/ })).toContainText('4');
}

test('from sign-up to the call in the chart', async ({ page, product }) => {
  await journey(page, product);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product }) => {
    await journey(page, product);
  });
});

test('the limit holds at the proxy, and is told', async ({ page, product }) => {
  orders ??= await startOrders(product.url);
  const person = somebody('limit');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const secret = await makeKey(page, 'limited');
  const id = page.url().match(/key_[0-9A-Z]{26}/)?.[0] ?? '';
  await product.cli(['key', 'set-limit', id, '--limit', '2', '--window', '86400']);
  const call = (proxy: string) => fetch(`${proxy}/orders`, { headers: { Authorization: `Bearer ${secret}` } });
  await expect.poll(async () => (await call(orders!.nginx)).headers.get('ratelimit-policy')).toBe('"default";q=2;w=86400');
  await call(orders.nginx);
  for (const proxy of [orders.nginx, orders.caddy]) {
    const refused = await call(proxy);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
  }
});

test('a secret is shown once, and not lost by a reload or a stray click', async ({ page, product, complaints }) => {
  const person = somebody('once');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const secret = await makeKey(page, 'once');
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => { dialogs.push(dialog.type()); void dialog.accept(); });
  await page.reload();
  await expect(page.getByTestId('secret')).toContainText(secret);
  complaints.allow(/422/);
  await page.getByRole('button', { name: 'Done' }).click(); // a stray click, before it was copied
  await expect(page.getByRole('alert')).toContainText('I have stored it');
  await expect(page.getByTestId('secret')).toContainText(secret);
  await page.getByTestId('secret').dispatchEvent('copy');
  await expect(page.getByLabel('I have stored it'), 'copying says so').toBeChecked();
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByTestId('secret')).toHaveCount(0);
  await page.reload();
  await expect(page.getByTestId('secret')).toHaveCount(0);
  expect(await page.content()).not.toContain(secret);
});

test('pressing Create key twice makes one key', async ({ page, product }) => {
  const person = somebody('twice');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await page.goto('/keys');
  await page.getByLabel('Name', { exact: true }).fill('pressed twice');
  await page.getByRole('button', { name: 'Create key' }).dblclick();
  await page.waitForURL(/\/keys\/key_/);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto('/keys');
  await expect(page.getByRole('row', { name: /pressed twice/ })).toHaveCount(1);
});

