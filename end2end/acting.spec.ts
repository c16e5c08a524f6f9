// An operator acts as somebody: the bar on every page, looking and changing a word, what is refused, the way back; and what its owner
// reads of it.
import type { Page } from '@playwright/test';
import { accessibleInBothThemes, hydrated, NARROW, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody, type Person } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

test.describe.configure({ timeout: 120_000 }); // the whole way, with mails on it

let operators = 0;

async function operator(product: Product): Promise<Person> {
  operators += 1;
  const person = { email: `helper-${process.pid}-${operators}@example.com`, password: 'lantern copper meadow nine' };
  await product.cli(['admin', 'create', '--email', person.email, '--password-stdin'], person.password);
  return person;
}

/** The operator opens the account and acts as it. */
async function actAs(page: Page, person: Person): Promise<string> {
  await page.goto(`/admin/accounts?q=${encodeURIComponent(person.email)}`);
  await page.getByRole('row', { name: person.email }).getByRole('link').click();
  await page.getByRole('button', { name: 'Act as this account' }).click();
  const account = new URL(page.url()).pathname;
  await page.getByRole('button', { name: 'Act as this account' }).click();
  await expect(page.getByRole('alert'), 'a reason is needed').toContainText('Reason');
  await page.getByLabel('Reason').fill('you asked why the chart is empty');
  await page.getByLabel('For how long').selectOption('30');
  await page.getByRole('button', { name: 'Act as this account' }).click();
  await expect(page).toHaveURL(/\/home$/);
  return account;
}

const bar = (page: Page) => page.getByRole('region', { name: 'Acting as somebody else' });

async function journey(page: Page, other: Page, product: Product, scripts: boolean): Promise<void> {
  const person = somebody('looked-at');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await signIn(other, await operator(product));
  const account = await actAs(other, person);
  const name = person.email.split('@')[0];

  const heights = new Set<number>();
  for (const path of ['/home', '/keys', '/usage', '/settings/profile', '/settings/sessions', '/docs']) {
    await other.goto(path);
    await expect(bar(other), path).toContainText(`You act as ${name}`);
    await expect(bar(other), path).toContainText('until');
    await expect(other, path).toHaveTitle(new RegExp(`^Acting as ${name} · `));
    await expect(bar(other).getByRole('button', { name: 'Stop' })).toBeVisible();
    for (const width of [1280, NARROW.width]) {
      await other.setViewportSize({ width, height: NARROW.height });
      await other.keyboard.press('End'); // to the bottom of the page
      const box = (await bar(other).boundingBox())!;
      expect(Math.round(box.y), `${path}: always in sight`).toBe(0);
      heights.add(Math.round(box.height));
    }
    await other.setViewportSize({ width: 1280, height: 720 });
  }
  expect([...heights], 'one height, on every page and at every width').toHaveLength(1);
  if (scripts) {
    await other.goto('/home');
    await hydrated(other);
    await accessibleInBothThemes(other);
    await noHorizontalScroll(other);
  }

  // A word of the profile is changed, a key is not made, a page is not opened.
  await other.goto('/settings/profile');
  await expect(other.getByRole('main').getByRole('link', { name: 'Security' }), 'no tab leads to what is refused').toHaveCount(0);
  await expect(other.getByRole('main')).toContainText('Hidden while you act as somebody else: Security and Danger.');
  await other.getByLabel('Name', { exact: true }).fill('Helped Person');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(bar(other)).toContainText('You act as Helped Person');
  await other.goto('/keys');
  await other.getByLabel('Name', { exact: true }).fill('not mine');
  await other.getByRole('button', { name: 'Create key' }).click();
  await expect(other.getByRole('alert').first()).toContainText('do this while you act as somebody else');
  expect((await other.goto('/settings/security'))?.status()).toBe(403);
  expect((await other.goto('/admin'))?.status()).toBe(403);

  // The owner is told, and sees it.
  const mail = await product.mailbox.waitFor({ to: person.email, subject: 'An operator is looking at your account' });
  expect(mail.text).toContain('you asked why the chart is empty');
  await page.goto('/settings/sessions');
  await expect(page.getByRole('row', { name: /you asked why the chart is empty/ })).toContainText('In it now');

  // Another tab, opened before: its form is not sent as the operator afterwards.
  const tab = await other.context().newPage();
  await tab.goto('/settings/profile');
  await tab.getByLabel('Name', { exact: true }).fill('Not This One');
  await bar(other).getByRole('button', { name: 'Stop' }).click();
  await expect(other).toHaveURL(new RegExp(`${account}$`));
  await expect(bar(other)).toHaveCount(0);
  await expect(other.getByRole('main')).toContainText('acting as Helped Person');
  await tab.getByRole('button', { name: 'Save' }).click();
  await expect(tab.getByRole('alert').first()).toContainText('opened as another account');
  await expect(tab.getByLabel('Name', { exact: true })).not.toHaveValue('Not This One');
  await tab.close();

  await page.reload();
  await expect(page.getByRole('row', { name: /you asked why the chart is empty/ })).not.toContainText('In it now');
}

test('an operator acts as somebody and goes back', async ({ page, product, anotherVisitor, complaints }) => {
  complaints.allow(/403|409|422/);
  await journey(page, await anotherVisitor(), product, true);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, anotherVisitor, complaints }) => {
    complaints.allow(/403|409|422/);
    await journey(page, await anotherVisitor({ javaScriptEnabled: false }), product, false);
  });
});
