// Forgot and reset: the link of the mail sets a new password, and every other session ends.
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
  const link = linkIn(await product.mailbox.waitFor({ to: person.email }), '/reset-password');

  await other.goto(link);
  expect(other.url(), 'the token left the address (R54)').not.toContain('token');
  const next = { ...person, password: 'a different quiet harbour' };
  await other.getByLabel('New password').fill(next.password);
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

test('an unknown address gets the same answer', async ({ page }) => {
  await page.goto('/forgot-password');
  await page.getByLabel('Email').fill('nobody-here@example.com');
  await page.getByRole('button', { name: 'Send reset link' }).click();
  await expect(page.getByRole('main')).toContainText(/inbox/i);
});
