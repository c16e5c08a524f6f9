// Work before signing up, where a site always asks for it: the script of the page does it (public/work.js), whoever has no JavaScript is
// told how long to wait. That a form is taken after the wait is shown with a frozen clock, in src/tests/accounts/work.rs.
import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import { accessible, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody, type Person } from './support/people';
import { startProduct, type Product } from './support/product';
import { expect, test as base } from './support/test';

const test = base.extend<object, { product: Product }>({
  product: [
    async ({}, use, worker) => {
      const product = await startProduct(`work-${worker.workerIndex}`, { TOLLGATE_SIGN_UP_WORK: 'always' });
      await use(product);
      await product.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

async function fillIn(page: Page, person: Person): Promise<void> {
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
}

/** The zero bits that the hash of challenge and answer begins with. */
function zeros(challenge: string, answer: string): number {
  const hash = createHash('sha256').update(`${challenge.slice(0, 32)}:${answer}`).digest();
  return Math.clz32(hash.readUInt32BE(0));
}

test('a form that is sent early waits for the work of the browser', async ({ page }) => {
  // The script finds no number before it may.
  await page.addInitScript(() => {
    const count = Math.clz32;
    Math.clz32 = (n) => ('mayFind' in window ? count(n) : 0);
  });
  await page.goto('/sign-up');
  await fillIn(page, somebody('work'));
  const said = page.getByText('Your browser works for a moment');
  await expect(said).toBeHidden();
  await expect(page.getByText('Without JavaScript')).toBeHidden();
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(said).toBeVisible();
  await expect(page).toHaveURL(/\/sign-up$/);
  await accessible(page);
  await noHorizontalScroll(page);

  const sent = page.waitForRequest((request) => request.method() === 'POST' && new URL(request.url()).pathname === '/sign-up');
  await page.evaluate(() => { Object.assign(window, { mayFind: true }); });
  const form = new URLSearchParams((await sent).postData() ?? '');
  const answer = form.get('work[answer]') ?? '';
  expect(answer).toMatch(/^\d+$/);
  expect(zeros(form.get('work[challenge]') ?? '', answer), 'the number is right').toBeGreaterThanOrEqual(18);
  await page.waitForURL('**/verify-email');
});

test('who signs up notices nothing else of it, after a mistake either', async ({ page, product }) => {
  const person = somebody('work');
  await page.goto('/sign-up');
  await fillIn(page, { ...person, password: 'short' });
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Password', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await fillIn(page, person);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/verify-email');
  await product.mailbox.waitFor({ to: person.email });

  const other = somebody('work');
  await signUp(page, product.mailbox, other);
  await signIn(page, other);
  await expect(page).toHaveURL(/\/home$/);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the page says how long to wait, and a form that comes too early loses nothing', async ({ page, product }) => {
    const person = somebody('plain');
    await page.goto('/sign-up');
    await expect(page.getByText('wait 60 seconds after opening this form')).toBeVisible();
    await fillIn(page, person);
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByRole('alert').first()).toContainText(/send the form again in \d+ seconds/);
    await expect(page.getByLabel('Email')).toHaveValue(person.email);
    await fillIn(page, person);
    await page.getByRole('button', { name: 'Create account' }).click();
    const left = (await page.getByRole('alert').first().innerText()).match(/again in (\d+) seconds/)?.[1];
    expect(Number(left), 'the wait counts from the first page').toBeLessThanOrEqual(60);
    expect(product.mailbox.mails.filter((mail) => mail.to.includes(person.email))).toEqual([]);
  });
});
