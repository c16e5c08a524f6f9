// Where one was: filters, periods and forms that lead to the same page leave the focus and the place on it, and what was refused has the focus.
import type { Page } from '@playwright/test';
import { hydrated } from './support/checks';
import { signIn, signUp, somebody, stored } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

/** Somebody new with a key, on its page. */
async function holder(page: Page, product: Product): Promise<void> {
  const person = somebody('focus');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await page.goto('/keys?dialog=new');
  await page.getByLabel('Name', { exact: true }).fill('kept');
  await page.getByLabel('Name', { exact: true }).press('Enter');
  await page.waitForURL(/\/keys\/key_/);
  await stored(page);
  await expect(page.getByTestId('secret')).toHaveCount(0);
}

test('arrow keys pass through a filter, Enter applies it, and it keeps the focus', async ({ page, product }) => {
  await holder(page, product);
  await page.goto('/keys?status=disabled'); // nothing is found, and the filters are there
  const status = page.getByRole('combobox', { name: 'Status' });
  const before = await status.inputValue();
  await status.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  const chosen = await status.inputValue();
  expect(chosen, 'the arrows choose').not.toBe(before);
  expect(page.url(), 'and lead nowhere yet').toContain('status=disabled');
  await page.keyboard.press('Enter');
  await expect(page).not.toHaveURL(/status=disabled/);
  await expect(status).toHaveValue(chosen);
  await expect(status).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await expect(page, 'leaving it applies it, too').not.toHaveURL(new RegExp(`status=${chosen}`));
  await expect(page).toHaveURL(/status=/);
});

test('a refusal has the focus, and a form that is done leaves it', async ({ page, product, complaints }) => {
  complaints.allow(/422/);
  await holder(page, product);
  await page.goto(`${page.url().split(/[?#]/)[0] ?? ''}#settings`);
  await hydrated(page);
  const settings = page.locator('#settings');
  const name = settings.getByLabel('Name', { exact: true });
  await name.fill('');
  await name.press('Enter');
  await expect(page.locator('.error-summary'), 'although the address names a part of the page').toBeFocused();
  await expect(page.locator('.error-summary')).toBeInViewport();
  await name.fill('kept so');
  await name.press('Enter');
  await expect(page.getByRole('status').filter({ hasText: /./ }).first()).toBeVisible();
  await expect(name).toHaveValue('kept so');
  await expect(name, 'the page is as far down as it was').toBeInViewport();
  await expect(name).toBeFocused();
});
