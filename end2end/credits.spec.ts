// Credits from end to end: set on the key's page with what comes back of them, used up by calls, added to; and why it is this limit.
import type { Page } from '@playwright/test';
import { accessibleAndNarrow } from './support/checks';
import { Keyring } from './support/gate';
import { signIn } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

async function journey(page: Page, product: Product, scripts: boolean): Promise<void> {
  const keyring = await Keyring.open(product);
  const key = await keyring.key('paid calls');
  await signIn(page, keyring.person);
  await page.goto(`/keys/${key.id}`);

  const form = page.getByRole('form', { name: 'Add a limit' });
  await form.getByLabel('How many').fill('2');
  // A field that only one choice asks for comes with it, and what was typed there is not dropped with another one.
  await expect(form.getByLabel('Credits back each time')).toBeHidden();
  await form.getByLabel('Of what').selectOption({ label: 'credits, some back every day' });
  await form.getByLabel('Credits back each time').fill('1');
  await form.getByLabel('Of what').selectOption({ label: 'units a day' });
  await expect(form.getByLabel('Credits back each time')).toBeHidden();
  await form.getByRole('button', { name: 'Add limit' }).click();
  await expect(page.getByRole('alert').first()).toContainText('Credits back each time');
  await expect(form).toContainText('Only credits come back like this.');
  await expect(form.getByLabel('Credits back each time'), 'nothing that was typed is lost').toHaveValue('1');
  await expect(form.getByLabel('How many')).toHaveValue('2');
  await form.getByLabel('Of what').selectOption({ label: 'credits, some back every day' });
  await form.getByRole('button', { name: 'Add limit' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The limit applies from now on.' })).toBeVisible();

  const codes = [];
  for (let i = 0; i < 3; i++) codes.push((await keyring.verify(key)).code);
  expect(codes, 'two credits, and a day until the next').toEqual(['VALID', 'VALID', 'QUOTA_EXCEEDED']);
  const refused = await fetch(`${product.url}/forward-auth/demo`, { headers: { Authorization: `Bearer ${key.secret}` } });
  expect(refused.status, 'a proxy is told the same').toBe(429);

  const add = page.getByRole('form', { name: 'Add credits' });
  await add.getByLabel('Credits to add').fill('1');
  await add.getByLabel('Reason').fill('invoice 7');
  await add.getByRole('button', { name: 'Add credits' }).click();
  await expect(page.getByRole('main'), 'who added how many, and why').toContainText('added credits: 1 to default, “invoice 7”');
  expect((await keyring.verify(key)).code).toBe('VALID');
  expect((await keyring.verify(key)).code).toBe('QUOTA_EXCEEDED');

  await page.getByText('Why this limit?').click();
  await expect(page.getByRole('row', { name: /^This key/ })).toContainText(/2 credits, \+1 every day.*In force/);
  await expect(page.getByRole('row', { name: /^Default/ })).toContainText('overridden');
  await accessibleAndNarrow(page, scripts);
}

test('credits are set, used up and added to', async ({ page, product, complaints }) => {
  complaints.allow(/422/);
  await journey(page, product, true);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, complaints }) => {
    complaints.allow(/422/);
    await journey(page, product, false);
  });
});

test('the long words of a limit of calls at the same time stay in their table', async ({ page, product }) => {
  const keyring = await Keyring.open(product);
  const key = await keyring.key('slow calls');
  await product.cli(['key', 'set-limit', key.id, '--limit', '5', '--window', 'concurrent:60']);
  await signIn(page, keyring.person);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`/keys/${key.id}`);
  const table = page.getByRole('table', { name: 'Limits in force' });
  await expect(table).toContainText('when a call ends, each after 1 minute at the latest');
  const beyond = await table.evaluate((element) => element.getBoundingClientRect().right - (element.parentElement ?? element).getBoundingClientRect().right);
  expect(beyond, 'pixels beyond its frame').toBeLessThanOrEqual(1);
});
