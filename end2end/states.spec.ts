// The pages of mailed links in every state that a link brings, which pages.spec.ts sees without one. Leaving, a forgotten password and second
// factors have journeys of their own.
import { lookAt } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import { linkIn } from './support/smtp';
import { expect, test } from './support/test';

test('an address is confirmed: the inbox, the button here and elsewhere, a link that is used, and one that is none', async ({ page, product, anotherVisitor }) => {
  const person = somebody('confirms');
  await page.goto('/sign-up');
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/verify-email');
  await expect(page.getByLabel('Code')).toBeVisible();
  await lookAt(page, 'Check your inbox');
  const link = linkIn(await product.mailbox.waitFor({ to: person.email }), '/verify-email');

  const other = await anotherVisitor();
  await other.goto(link);
  await expect(other.getByText('You signed up in another browser')).toBeVisible();
  await lookAt(other, 'Confirm your email');
  await other.goto('/verify-email?token=none');
  await expect(other.getByLabel('Email'), 'nothing is known here of who asks').toBeVisible();
  await lookAt(other, 'This link does not work');
  await page.goto('/verify-email?token=none');
  await expect(page.getByLabel('Code'), 'the code of the mail still works here').toBeVisible();
  await lookAt(page, 'This link does not work');

  await page.goto(link);
  await lookAt(page, 'Confirm your email');
  await page.getByRole('button', { name: 'Confirm email' }).click();
  await page.waitForURL((url) => url.pathname !== '/verify-email');
  await other.goto(link);
  await lookAt(other, 'Your email is confirmed');
});

test('an address is changed and taken back: the code, the button, and the way back', async ({ page, product }) => {
  const person = somebody('moves');
  const next = somebody('moved').email;
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await page.goto('/settings/email');
  await page.getByLabel('New email').fill(next);
  await page.getByRole('button', { name: 'Send confirmation' }).click();
  await expect(page.getByLabel('Code')).toBeVisible();
  await lookAt(page, 'Profile');

  await page.goto(linkIn(await product.mailbox.waitFor({ to: next }), '/confirm-email'));
  await expect(page.getByRole('main')).toContainText(next);
  await lookAt(page, 'Confirm your new email');
  await page.getByRole('button', { name: 'Confirm new email' }).click();
  await page.waitForURL('**/settings/email');

  await page.goto(linkIn(await product.mailbox.waitFor({ to: person.email, subject: 'Your email was changed' }), '/undo-email'));
  await lookAt(page, 'Take the change back');
  await page.getByRole('button', { name: 'Take the change back' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
});
