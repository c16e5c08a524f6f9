// A site as it is after the first start, without a mail server: the link of the log makes the first operator, and mails are kept, to be read at
// /dev/mailbox. Everywhere else here they are sent.
import { hydrated, lookAt } from './support/checks';
import { signIn, somebody } from './support/people';
import { startProduct, type Product } from './support/product';
import { expect, test as base } from './support/test';

const test = base.extend<object, { product: Product }>({
  product: [
    async ({}, use, worker) => {
      const product = await startProduct(`fresh-${worker.workerIndex}`, { TOLLGATE_SMTP_URL: undefined });
      await use(product);
      await product.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

test('the first operator chooses an address and a password', async ({ page, product }) => {
  const printed = async () => (await product.log()).match(/http:\S+\/reset-password\?token=[^\s"]+/)?.[0] ?? '';
  await expect.poll(printed).not.toBe(''); // said once the site runs
  await page.goto(await printed());
  await expect(page.getByText('You are the first operator of this site')).toBeVisible();
  await lookAt(page, 'Set a new password');
  const person = somebody('first');
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('New password').fill(person.password);
  await page.getByRole('button', { name: 'Set new password' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await signIn(page, person);
  await page.goto('/admin');
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  await hydrated(page);
});

test('a mail that is kept is listed, opened and followed', async ({ page }) => {
  const person = somebody('kept');
  await page.goto('/sign-up');
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/verify-email');
  const mail = page.getByRole('link', { name: 'Confirm your email' });
  await expect(async () => {
    await page.goto('/dev/mailbox');
    await hydrated(page);
    await expect(mail).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(page.getByRole('row', { name: person.email })).toBeVisible();
  await lookAt(page, 'Mailbox');

  await mail.click();
  await expect(page.getByRole('article')).toContainText(person.email);
  await lookAt(page, 'Mailbox');
  await page.getByRole('article').getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Confirm your email');
  await hydrated(page);
});
