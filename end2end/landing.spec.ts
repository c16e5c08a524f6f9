// The landing page, and what a first visit needs: the process answers, the assets are small and may be kept.
import { accessible, hydrated, noHorizontalScroll } from './support/checks';
import { expect, test } from './support/test';

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
  for (const part of ['Verification of keys', 'Pages and accounts', 'Usage']) await expect(page.getByRole('row', { name: part })).toContainText('Works');
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
