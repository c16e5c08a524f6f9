// Second factors: an authenticator app is set up, asked for at sign-in, and a recovery code stands in for it once.
import type { Page } from '@playwright/test';
import { lookAt, lookAway, noHorizontalScroll, type Look } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';
import { totp } from './support/totp';

test.describe.configure({ timeout: 120_000 }); // the whole way, with mails on it

async function journey(page: Page, other: Page, product: Product, look: Look): Promise<void> {
  const person = somebody('factors');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);

  await page.goto('/settings/security');
  await page.getByRole('button', { name: 'Set up an app' }).click();
  const secret = (await page.getByRole('main').innerText()).match(/\b(?:[A-Z2-7]{4} ?){8}\b/)![0];
  await noHorizontalScroll(page);
  await look(page, 'Authenticator app');
  await page.getByLabel('Code', { exact: true }).fill('000 000');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByRole('alert').first(), 'a wrong code is told').toBeVisible();
  await page.getByLabel('Code', { exact: true }).fill(await totp(secret, 'before'));
  await page.getByRole('button', { name: 'Confirm' }).click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Recovery codes');
  await noHorizontalScroll(page);
  await look(page, 'Recovery codes');
  const codes = (await page.locator('#codes').innerText()).trim().split(/\s*\n\s*/);
  expect(codes.length).toBeGreaterThanOrEqual(8);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByLabel('I saved these codes').check();
  await page.getByRole('button', { name: 'Finish' }).click();
  await expect(page).toHaveURL(/\/settings\/security$/);
  await expect(page.getByRole('main')).not.toContainText(codes[0]);
  await product.mailbox.waitFor({ to: person.email, subject: /authenticator|two-factor|second factor/i });

  await signIn(other, person);
  await expect(other, 'the password alone does not sign in').toHaveURL(/\/sign-in\/code/);
  await look(other, 'Enter your code');
  await other.getByLabel('Code', { exact: true }).fill('000000');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('alert').first()).toBeVisible();
  await other.getByLabel('Code', { exact: true }).fill(await totp(secret)); // a step is accepted once
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other).toHaveURL(/\/home$/);

  await other.goto('/sign-out');
  await other.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  await expect(other).toHaveURL(/\/sign-in/);
  await signIn(other, person);
  await other.getByRole('link', { name: 'Use a recovery code' }).click();
  await expect(other.getByLabel('Recovery code')).toBeVisible();
  await look(other, 'Enter your code');
  await other.getByLabel('Recovery code').fill(codes[0]);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other).toHaveURL(/\/home$/);
  await other.goto('/settings/security');
  await expect(other.getByRole('main'), 'a code works once').toContainText(`${codes.length - 1} left`);
}

test('an app is set up, asked for, and replaced by a recovery code', async ({ page, product, anotherVisitor, complaints }) => {
  complaints.allow(/422/);
  await journey(page, await anotherVisitor(), product, lookAt);
  await lookAt(page, 'Security');
  await page.goto('/step-up?use=app');
  await lookAt(page, 'Is it you?');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, anotherVisitor, complaints }) => {
    complaints.allow(/422/);
    await journey(page, await anotherVisitor({ javaScriptEnabled: false }), product, lookAway);
  });
});
