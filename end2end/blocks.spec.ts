// What an operator keeps out: a key by a block with one-click undo, an account by a ban that its owner reads; with rows in the lists.
import type { Page } from '@playwright/test';
import { accessibleAndNarrow } from './support/checks';
import { signIn, signUp, somebody, type Person } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

test.describe.configure({ timeout: 120_000 }); // the whole way, with mails on it

let operators = 0;

async function operator(product: Product): Promise<Person> {
  operators += 1;
  const person = { email: `keeper-${process.pid}-${operators}@example.com`, password: 'lantern copper meadow nine' };
  await product.cli(['admin', 'create', '--email', person.email, '--password-stdin'], person.password);
  return person;
}

async function journey(page: Page, other: Page, product: Product, scripts: boolean): Promise<void> {
  const person = somebody('kept-out');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const made = JSON.parse(await product.cli(['key', 'create', '--account', person.email, '--api', 'demo', '--name', 'blocked soon', '--json'])) as { id: string; secret: string };
  const call = async () => (await fetch(`${product.url}/forward-auth/demo`, { headers: { Authorization: `Bearer ${made.secret}` } })).status;
  await expect.poll(call).toBe(200);

  await signIn(other, await operator(product));
  await other.goto('/admin/blocks');
  const form = other.getByRole('form', { name: 'New block' });
  await expect(form, 'no form is open at rest').toBeHidden();
  await other.getByText('New block', { exact: true }).click();
  await expect(form.getByLabel('Calls a second'), 'asked only where it slows').toBeHidden();
  await form.getByLabel('Action').selectOption('slow');
  await expect(form.getByLabel('Calls a second')).toBeVisible();
  await form.getByLabel('Action').selectOption('refuse');
  await form.getByLabel('Target').fill('nobody knows this');
  await form.getByLabel('Reason').fill('it floods us');
  await form.getByRole('button', { name: 'Block' }).click();
  await expect(other.getByRole('alert').first()).toBeVisible();
  await expect(form.getByLabel('Reason'), 'nothing that was typed is lost').toHaveValue('it floods us');
  await form.getByLabel('Target').fill(made.id);
  await form.getByRole('button', { name: 'Block' }).click();
  await expect.poll(call, 'within a second').toBe(403);
  await other.getByRole('button', { name: 'Undo' }).click();
  await expect(other.getByRole('status').filter({ hasText: 'lifted' })).toBeVisible();
  await expect.poll(call).toBe(200);
  await other.getByText('New block', { exact: true }).click();
  await form.getByLabel('Target').fill(made.id);
  await form.getByLabel('Reason').fill('it floods us');
  await form.getByRole('button', { name: 'Block' }).click();
  const row = other.getByRole('row', { name: /it floods us/ });
  await expect(row).toContainText('Blocked');
  await expect.poll(call, 'within a second').toBe(403);
  await accessibleAndNarrow(other, scripts);
  await row.getByRole('button', { name: /^Lift/ }).click();
  await expect.poll(call).toBe(200);

  await other.goto(`/admin/accounts?q=${encodeURIComponent(person.email)}`);
  await other.getByRole('row', { name: person.email }).getByRole('link').click();
  await other.getByRole('main').getByRole('button', { name: 'Ban', exact: true }).click();
  await other.getByLabel('Reason').fill('selling keys of others');
  await other.locator('#ban').getByRole('button', { name: 'Ban', exact: true }).click();
  await expect.poll(call).toBe(403);
  await page.goto('/keys');
  await expect(page, 'signed out').toHaveURL(/\/sign-in/);
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('main')).toContainText('selling keys of others');

  await other.goto('/admin/bans');
  await expect(other.getByRole('row', { name: new RegExp(person.email) })).toContainText('selling keys of others');
  await accessibleAndNarrow(other, scripts);
  await other.getByRole('row', { name: new RegExp(person.email) }).getByRole('button', { name: /^Lift/ }).click();
  await expect.poll(call).toBe(200);
  await signIn(page, person);
}

test('a key is blocked and let go, an account banned and let in again', async ({ page, product, anotherVisitor, complaints }) => {
  complaints.allow(/422|403/);
  await journey(page, await anotherVisitor(), product, true);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, anotherVisitor, complaints }) => {
    complaints.allow(/422|403/);
    await journey(page, await anotherVisitor({ javaScriptEnabled: false }), product, false);
  });
});
