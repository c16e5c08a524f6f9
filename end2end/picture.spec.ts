// A picture: sent by the plain form, shown beside the name and, once ticked, to everybody; what is no picture is refused beside the field.
import type { Page } from '@playwright/test';
import { accessible, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

test.describe.configure({ timeout: 120_000 });

async function send(page: Page, name: string, mimeType: string, buffer: Buffer): Promise<void> {
  await page.goto('/settings/profile');
  await page.getByLabel('Picture', { exact: true }).setInputFiles({ name, mimeType, buffer });
  await page.getByRole('button', { name: /^(Set|Change) picture$/ }).click();
}

async function journey(page: Page, product: Product): Promise<void> {
  const person = somebody('picture');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);

  await send(page, 'me.svg', 'image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'));
  await expect(page.getByText('read this file.')).toBeVisible();
  await expect(page.locator('img.avatar')).toHaveCount(0);

  await send(page, 'me.png', 'image/png', await page.screenshot());
  await expect(page).toHaveURL(/\/settings\/profile$/);
  const shown = page.locator('img.avatar').first();
  await expect(shown).toBeVisible();
  const address = new URL((await shown.getAttribute('src')) ?? '', product.url).href;
  const file = await page.request.get(address);
  expect(file.headers()['content-type']).toBe('image/jpeg');
  expect(file.headers()['x-content-type-options']).toBe('nosniff');

  await page.goto('/settings/public');
  const handle = person.email.split('@')[0];
  await page.getByLabel('Handle').fill(handle);
  await page.getByLabel('Picture', { exact: true }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.goto(`/u/${handle}`);
  await expect(page.locator('img.avatar')).toHaveCount(1);

  await page.goto('/settings/profile');
  await page.getByRole('button', { name: 'Remove picture' }).click();
  await expect(page.locator('img.avatar')).toHaveCount(0);
  expect((await page.request.get(address)).status()).toBe(404);
}

test('somebody sets a picture, shows it and takes it away', async ({ page, product, complaints }) => {
  complaints.allow(/422/);
  await journey(page, product);
  await send(page, 'me.png', 'image/png', await page.screenshot());
  await expect(page.locator('img.avatar').first()).toBeVisible();
  await accessible(page);
  await noHorizontalScroll(page);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, complaints }) => {
    complaints.allow(/422/);
    await journey(page, product);
  });
});
