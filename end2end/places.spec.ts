// Calls at the same time from end to end: places are taken and given back by the service, and the page says how many calls go on.
import type { Page } from '@playwright/test';
import { accessibleAndNarrow } from './support/checks';
import { Keyring } from './support/gate';
import { signIn } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

async function journey(page: Page, product: Product, scripts: boolean): Promise<void> {
  const keyring = await Keyring.open(product);
  const key = await keyring.key('long calls');
  await signIn(page, keyring.person);
  await page.goto(`/keys/${key.id}`);
  const form = page.getByRole('form', { name: 'Add a limit' });
  await form.getByLabel('How many').fill('2');
  await form.getByLabel('Of what').selectOption({ label: 'calls at the same time, each for 5 minutes at most' });
  await form.getByRole('button', { name: 'Add limit' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The limit applies from now on.' })).toBeVisible();

  const limits = page.getByRole('table', { name: 'Limits in force' });
  await expect(limits).toContainText('0 of 2 calls at the same time now');
  const [first, second, third] = [await keyring.verify(key), await keyring.verify(key), await keyring.verify(key)];
  expect([first.code, second.code, third.code]).toEqual(['VALID', 'VALID', 'RATE_LIMITED']);
  expect([first.hold?.id, second.hold?.id, third.hold]).toEqual([expect.stringMatching(/^hold_/), expect.stringMatching(/^hold_/), undefined]);
  await page.reload();
  await expect(limits).toContainText('2 of 2 calls at the same time now');
  await expect(limits).toContainText('when a call ends, each after 5 minutes at the latest');

  // Given back twice, it frees one place.
  for (let i = 0; i < 2; i++) await keyring.rest('POST', '/keys/release', { hold: first.hold!.id });
  await page.reload();
  await expect(limits).toContainText('1 of 2 calls at the same time now');
  expect((await keyring.verify(key)).code).toBe('VALID');
  expect((await keyring.verify(key)).code).toBe('RATE_LIMITED');

  await page.getByText('Why this limit?').click();
  await expect(page.getByRole('row', { name: /^This key/ })).toContainText(/2 calls at the same time.*In force/);
  await accessibleAndNarrow(page, scripts);
}

test('places are taken, shown and given back', async ({ page, product }) => {
  await journey(page, product, true);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product }) => {
    await journey(page, product, false);
  });
});
