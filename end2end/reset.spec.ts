// Forgot and reset: the link of the mail sets a new password, and every other session ends.
import { lookAt } from './support/checks';
import { linkIn } from './support/smtp';
import { signIn, signUp, somebody } from './support/people';
import { expect, test } from './support/test';

test('a forgotten password is replaced and other sessions end', async ({ page, product, anotherVisitor }) => {
  const person = somebody('forgot');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);

  const other = await anotherVisitor();
  await other.goto('/forgot-password');
  await other.getByLabel('Email').fill(person.email);
  await other.getByRole('button', { name: 'Send reset link' }).click();
  await lookAt(other, 'Check your inbox');
  const link = linkIn(await product.mailbox.waitFor({ to: person.email }), '/reset-password');

  await other.goto(link);
  expect(other.url(), 'the token left the address (R54)').not.toContain('token');
  const next = { ...person, password: 'a different quiet harbour' };
  await other.getByLabel('New password').fill(next.password);
  await expect(other.locator('[data-strength] meter')).toBeVisible();
  await lookAt(other, 'Set a new password');
  await other.getByRole('button', { name: 'Set new password' }).click();
  await expect(other).toHaveURL(/\/sign-in/);

  await page.goto('/keys');
  await expect(page, 'the first browser is signed out').toHaveURL(/\/sign-in/);

  await other.getByLabel('Email').fill(person.email);
  await other.getByLabel('Password', { exact: true }).fill(person.password);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('alert').first()).toBeVisible();
  await signIn(other, next);

  const third = await anotherVisitor();
  await third.goto(link);
  await expect(third.getByRole('heading', { level: 1 }), 'a link works once').toHaveText('This link does not work');
});

test('the code of the mail, read on another device, goes on where it was asked for', async ({ page, product }) => {
  const person = somebody('code');
  await signUp(page, product.mailbox, person);
  await page.goto('/forgot-password');
  await page.getByLabel('Email').fill(person.email);
  await page.getByRole('button', { name: 'Send reset link' }).click();
  const mail = await product.mailbox.waitFor({ to: person.email, subject: 'Set a new password' });
  await page.getByLabel('Code').fill(mail.text.match(/^ *(\d{6})\r?$/m)?.[1] ?? '');
  await page.getByRole('button', { name: 'Choose a new password' }).click();
  await expect(page).toHaveURL(/\/reset-password$/);
  const next = { ...person, password: 'a different quiet harbour' };
  await page.getByLabel('New password').fill(next.password);
  await page.getByRole('button', { name: 'Set new password' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await signIn(page, next);
});

test('an unknown address gets the same answer', async ({ page }) => {
  await page.goto('/forgot-password');
  await page.getByLabel('Email').fill('nobody-here@example.com');
  await page.getByRole('button', { name: 'Send reset link' }).click();
  await expect(page.getByRole('main')).toContainText(/inbox/i);
});

test('a new password is told how hard it is to guess, and nothing is held up by that', async ({ page }) => {
  await page.goto('/sign-up');
  const field = page.getByLabel('Password', { exact: true });
  const hint = page.locator('[data-strength]');
  const bar = hint.locator('meter');
  await expect(bar).toBeHidden();
  await page.getByLabel('Email').fill('margarethe@example.org');
  for (const [password, words, value] of [
    ['granite', 'Too short: 8 more characters', 0],
    ['aaaaaaaaaaaaaaaaaaaa', 'Weak: easy to guess', 1],
    ['margarethe likes cheese', 'Weak: your name or address is in it', 1],
    ['ferry otter granite lamp', 'Good', 3],
    ['ferry otter granite lamp under snow', 'Strong', 4],
  ] as const) {
    await field.fill(password);
    await expect(hint).toHaveText(words);
    await expect(bar).toHaveJSProperty('value', value);
  }
  await field.fill('granite');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText('Use at least 15 characters').first(), 'the server alone says what will do').toBeVisible();
});
