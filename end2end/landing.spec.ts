// The landing page, and what a first visit needs: the process answers, the assets are small and may be kept.
import type { Page, Request } from '@playwright/test';
import { accessible, hydrated, noHorizontalScroll } from './support/checks';
import { DOCS } from './support/docs';
import { signIn, signUp, somebody } from './support/people';
import { expect, test } from './support/test';

/** Bytes of a first visit, and those of them before the WASM, with which the page can be used (`make sizes`). */
const MOST = 200_000;
const MOST_BEFORE_WASM = 50_000;

/** What a browser without anything kept is sent for a page, in bytes as they come over the wire. */
async function firstVisit(page: Page, path: string): Promise<{ all: number; beforeWasm: number }> {
  const requests: Request[] = [];
  const note = (request: Request): void => void requests.push(request);
  page.on('requestfinished', note);
  await page.goto(path);
  await hydrated(page);
  page.off('requestfinished', note);
  let [all, wasm] = [0, 0];
  for (const request of requests) {
    const { responseBodySize } = await request.sizes();
    all += responseBodySize;
    if (new URL(request.url()).pathname.endsWith('.wasm')) wasm += responseBodySize;
  }
  expect(wasm, `${path} loads its WASM`).toBeGreaterThan(10_000);
  return { all, beforeWasm: all - wasm };
}

test('the process says that it lives and is ready', async ({ request }) => {
  expect((await request.get('/healthz')).status()).toBe(200);
  expect((await request.get('/readyz')).status()).toBe(200);
});

test('the landing page opens, in both themes and on a phone', async ({ page }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const answer = await page.goto('/');
    expect(answer?.status()).toBe(200);
    await expect(page).toHaveTitle(/Tollgate/);
    await hydrated(page);
    await accessible(page);
    await noHorizontalScroll(page);
  }
});

test('its foot leads to a page that says how the site does', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Status' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Status' })).toBeVisible();
  for (const part of ['Verification of keys', 'Pages and accounts', 'Usage']) await expect(page.getByRole('row', { name: new RegExp(`^${part}`) })).toContainText('Works');
});

test('what the page loads is compressed and may be kept for ever', async ({ page }) => {
  const assets: { url: string; headers: Record<string, string> }[] = [];
  page.on('response', (answer) => { if (new URL(answer.url()).pathname.startsWith('/pkg/')) assets.push({ url: answer.url(), headers: answer.headers() }); });
  await page.goto('/');
  await hydrated(page);
  expect(assets.map(({ url }) => url.split('.').pop()).sort()).toEqual(expect.arrayContaining(['css', 'js', 'wasm']));
  for (const { url, headers } of assets) {
    expect(headers['cache-control'], url).toContain('immutable');
    expect(headers['content-encoding'], url).toBe('br');
  }
});

test('a page that is never idle comes to life all the same', async ({ page }) => {
  await page.addInitScript(() => {
    window.requestIdleCallback = (callback, options) => (options?.timeout === undefined ? 0 : setTimeout(callback, options.timeout));
  });
  await page.goto('/');
  await hydrated(page);
});

/** The visitor has nothing kept. */
async function transfersLittle(visitor: Page, path: string): Promise<void> {
  const { all, beforeWasm } = await firstVisit(visitor, path);
  expect(new URL(visitor.url()).pathname).toBe(path);
  expect(all, `${path} in all`).toBeLessThanOrEqual(MOST);
  expect(beforeWasm, `${path} before its WASM`).toBeLessThanOrEqual(MOST_BEFORE_WASM);
}

for (const path of ['/', '/sign-in', '/docs', ...DOCS]) {
  test(`a first visit to ${path} transfers little`, async ({ page }) => { await transfersLittle(page, path); });
}

test('a first visit to pages of one\'s own transfers little', async ({ page, product, anotherVisitor }) => {
  const person = somebody('sizes');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  for (const path of ['/keys', '/usage']) {
    const visitor = await anotherVisitor();
    await visitor.context().addCookies(await page.context().cookies());
    await transfersLittle(visitor, path);
  }
});
