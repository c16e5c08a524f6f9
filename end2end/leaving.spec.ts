// Leaving: all one's data as a file, deactivated and brought back, deleted by the mailed link and brought back within 30 days.
import type { Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { lookAt, lookAway, type Look } from './support/checks';
import { signIn, signUp, somebody, type Person } from './support/people';
import type { Product } from './support/product';
import { linkIn } from './support/smtp';
import { expect, test } from './support/test';

test.describe.configure({ timeout: 120_000 }); // the whole way, with mails on it

async function journey(page: Page, product: Product, look: Look): Promise<void> {
  const person = somebody('leaving');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);

  await page.goto('/settings/danger');
  await page.getByRole('link', { name: 'Export', exact: true }).click();
  await page.waitForURL('**/settings/danger?act=export');
  await look(page, 'Danger');
  await page.getByRole('button', { name: 'Export' }).click();
  await product.mailbox.waitFor({ to: person.email, subject: /data/i });
  await page.goto('/settings/danger');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  const text = await readFile(await download.path(), 'utf8');
  expect(JSON.stringify(JSON.parse(text))).toContain(person.email);
  expect(text, 'no secrets').not.toMatch(/argon2|password_hash/);

  await page.getByRole('link', { name: 'Deactivate' }).click();
  await page.getByRole('button', { name: 'Deactivate' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await page.goto('/keys');
  await expect(page).toHaveURL(/\/sign-in/);
  await comeBack(page, person, 'Your account is deactivated', look);

  await page.goto('/settings/danger');
  await page.getByLabel('Email').fill('somebody-else@example.com');
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('alert').first(), 'another address deletes nothing').toBeVisible();
  await page.getByLabel('Email').fill(person.email);
  await page.getByRole('button', { name: 'Delete' }).click();
  const link = linkIn(await product.mailbox.waitFor({ to: person.email, subject: /delete/i }), '/delete-account');
  await page.goto(link);
  await look(page, 'Delete your account');
  await page.getByRole('main').getByRole('button').first().click();
  await expect(page).toHaveURL(/\/sign-in/);
  await comeBack(page, person, 'Your account is deleted', look);
}

async function comeBack(page: Page, person: Person, title: string, look: Look): Promise<void> {
  await signIn(page, person);
  await expect(page).toHaveURL(/\/come-back/);
  await look(page, title);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await signIn(page, person);
  await expect(page).toHaveURL(/\/home$/);
}

test('somebody takes the data, leaves, and comes back twice', async ({ page, product, complaints }) => {
  complaints.allow(/422/);
  await journey(page, product, lookAt);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, complaints }) => {
    complaints.allow(/422/);
    await journey(page, product, lookAway);
  });
});
