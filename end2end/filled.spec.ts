// Full pages: on the demo data (a year of calls), with what operators keep out and a job that failed. pages.spec.ts looks at every page, mostly
// with empty lists.
import type { Page } from '@playwright/test';
import { eachPage } from './support/checks';
import { signIn, type Person } from './support/people';
import { startProduct, type Product } from './support/product';
import { NO_MAILBOX } from './support/smtp';
import { expect, test as base } from './support/test';

const test = base.extend<object, { product: Product }>({
  product: [
    async ({}, use, worker) => {
      const product = await startProduct(`filled-${worker.workerIndex}`, {}, '127.0.0.1', ['--demo']);
      await use(product);
      await product.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

// As src/boot/demo.rs makes them.
const OPERATOR: Person = { email: 'operator@demo.localhost', password: 'lantern copper meadow' };
const DEVELOPER: Person = { email: 'developer@demo.localhost', password: 'harbour violet kettle' };

/** Where a link leads. */
async function href(page: Page, path: string, selector: string): Promise<string> {
  await page.goto(path);
  return await page.locator(selector).first().getAttribute('href') ?? '';
}

/** Every page, and there is something on those with lists. */
async function eachFullPage(page: Page, lists: string[], others: string[]): Promise<void> {
  await eachPage(page, [...lists, ...others], async (path) => {
    if (!lists.includes(path)) return;
    await expect(page.getByRole('main').locator('tbody tr:visible').first(), path).toBeVisible();
    await expect(page.locator('.empty'), path).toHaveCount(0);
  });
}

test('another period keeps the focus', async ({ page }) => {
  await signIn(page, DEVELOPER);
  await page.goto('/usage');
  const week = page.getByRole('link', { name: '7 d', exact: true });
  await week.press('Enter');
  await expect(page).toHaveURL(/range=7d/);
  await expect(week).toHaveAttribute('aria-current', /./);
  await expect(week).toBeFocused();
});

test('a developer with a year of calls', async ({ page }) => {
  await signIn(page, DEVELOPER);
  await page.goto('/keys');
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('link', { name: 'Prepare a file' }).click();
  await Promise.all([page.waitForResponse((answer) => answer.request().method() === 'POST'), page.getByRole('button', { name: 'Prepare the file' }).click()]);
  const key = await href(page, '/keys', 'tbody tr:has-text("checkout service") a.row-link');
  const id = key.split('/').pop() ?? '';
  const opened = await href(page, '/requests', 'tbody a.row-link');
  const lists = ['/keys', '/usage', '/usage/errors', '/requests', '/exports', '/settings/sessions'];
  await eachFullPage(page, lists, ['/home', key, opened, '/usage?range=24h', '/usage?range=year', `/usage?compare=before&key=${id}`]);
});

/** One field takes whatever is known of a call; what decided stands first, what passed is folded. */
async function findsACall(page: Page): Promise<void> {
  await signIn(page, DEVELOPER);
  await page.goto(await href(page, '/requests?code=RATE_LIMITED', 'tbody a.row-link'));
  const opened = page.locator('#opened');
  await expect(opened).toContainText('What the program was told');
  await expect(opened.locator('.chain li:visible')).toHaveCount(1);
  await expect(opened.getByText('Expiry', { exact: true })).toBeHidden();
  await opened.getByText(/checks passed before it$/).click();
  await expect(opened.getByText('Expiry', { exact: true })).toBeVisible();
  const id = await opened.locator('#request-id').innerText();

  const search = page.getByRole('search', { name: 'Filter requests' }).getByRole('searchbox', { name: 'Search', exact: true });
  await search.fill(id);
  await search.press('Enter');
  await expect(page.getByRole('link', { name: `Request ${id} ×` })).toBeVisible();
  await expect(page.locator('tbody tr')).toHaveCount(1);

  await page.getByRole('button', { name: 'Custom…' }).click();
  await page.getByRole('form', { name: 'Custom time' }).getByRole('button', { name: 'Show' }).click();
  await expect(page).toHaveURL(/request=.*&from=/);
  await expect(page.getByRole('button', { name: 'Custom time' })).toBeVisible();
  await expect(page.locator('tbody tr')).toHaveCount(1);

  await page.goto('/usage');
  const file = page.getByRole('link', { name: 'Calls, JSON' });
  await expect(file).toBeHidden();
  await page.getByRole('button', { name: 'All files' }).click();
  await expect(file).toBeVisible();
  await expect(page.getByRole('link', { name: 'Prepare a file' })).toBeVisible();
}

test('a refused call is found and opens with what decided', async ({ page }) => {
  await findsACall(page);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('a refused call is found and opens with what decided', async ({ page }) => {
    await findsACall(page);
  });
});

test('an operator with work to do', async ({ page, product }) => {
  await product.cli(['ban', 'add', 'spam.example', '--reason', 'nothing but spam']);
  await product.cli(['block', 'add', '203.0.113.66', '--reason', 'it floods us']);
  await product.cli(['invite', 'create', '--uses', '3']);
  await product.cli(['invite', 'create', '--email', `${NO_MAILBOX}@example.com`]); // its mail is refused for good
  await signIn(page, OPERATOR);
  const failed = '/admin/jobs?state=failed';
  await expect(async () => {
    await page.goto(failed);
    await expect(page.getByRole('button', { name: /^Retry/ })).toBeVisible({ timeout: 500 });
  }).toPass();
  const account = await href(page, '/admin/accounts', `tbody tr:has-text("${DEVELOPER.email}") a.row-link`);
  const lists = [failed, '/admin/keys', '/admin/refusals', '/admin/blocks', '/admin/bans', '/admin/invites', '/admin/plans', '/admin/groups'];
  await eachFullPage(page, lists, ['/admin', '/admin/apis/demo', '/admin/plans?edit=pro&set=default', '/admin/blocks?state=all', account]);
});
