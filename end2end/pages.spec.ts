// Every page, light and dark: axe finds nothing, the console is silent, nothing scrolls sideways at 360 px.
import type { Page } from '@playwright/test';
import { accessible, hydrated, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import { expect, test } from './support/test';

const SIGNED_OUT = ['/', '/sign-up', '/sign-up?with=passkey', '/sign-in', '/sign-in/code', '/sign-in/with/none/callback', '/forgot-password', '/reset-password', '/verify-email', '/unlock', '/not-me', '/keep-factors', '/confirm-email', '/undo-email', '/delete-account', '/come-back', '/docs', '/dev/ui', '/nothing-here'];
const SIGNED_IN = ['/home', '/keys', '/keys/find', '/keys/import', '/keys/create-many', '/keys/many?act=disable&all=true', '/keys/many?act=tag&all=true', '/usage', '/usage?range=24h', '/usage?range=year', '/usage?compare=before', '/usage/errors', '/requests', '/exports', '/settings/profile', '/settings/security', '/settings/sessions', '/settings/notifications', '/settings/email', '/settings/public', '/settings/danger', '/settings/danger?act=deactivate', '/settings/security/authenticator', '/settings/security/passkey', '/settings/security/link', '/step-up', '/acting', '/device'];
const OPERATOR = ['/admin', '/admin/accounts', '/admin/accounts/many?act=disable&all=true', '/admin/bans', '/admin/fields', '/admin/invites', '/admin/sessions', '/admin/sessions?edit=role:operator', '/admin/apis', '/admin/apis/demo?bundle=', '/admin/plans', '/admin/groups', '/admin/keys', '/admin/keys/many?act=disable&all=true', '/admin/keys/many?act=plan&all=true', '/admin/refusals', '/admin/blocks', '/admin/templates', '/admin/templates?kind=accounts.new_device&language=de&sample=markup', '/admin/jobs'];

async function check(page: Page, paths: string[]): Promise<void> {
  test.setTimeout(test.info().timeout + paths.length * 15_000); // axe reads every element of every page, twice
  for (const path of paths) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(path);
      await hydrated(page); // leaving a page while its WASM loads makes the browser complain
      await expect(page.getByRole('heading', { level: 1 }), `${path} has a title`).toHaveCount(1);
      await accessible(page);
    }
    await noHorizontalScroll(page);
  }
}

test('signed out', async ({ page, complaints }) => {
  complaints.allow(/404/);
  await check(page, SIGNED_OUT);
});

test('a developer', async ({ page, product }) => {
  const person = somebody('pages');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await check(page, SIGNED_IN);
  await page.goto('/keys');
  await page.getByLabel('Name', { exact: true }).fill('a key');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByTestId('secret').waitFor();
  const key = new URL(page.url()).pathname;
  page.on('dialog', (dialog) => void dialog.accept());
  await check(page, [key]);
  await page.getByRole('button', { name: 'Done' }).click();
  await check(page, [key, '/keys', `/usage?key=${key.split('/').pop()}`]);
});

test('an operator', async ({ page, product, complaints }) => {
  complaints.allow(/Blocked script execution in '[^']*\/admin\/templates\/preview/); // axe tries every frame; no script runs in that of a mail
  const operator = { email: 'pages-operator@example.com', password: 'lantern copper meadow nine' };
  await product.cli(['admin', 'create', '--email', operator.email, '--password-stdin'], operator.password);
  await signIn(page, operator);
  await check(page, OPERATOR);
});

test('the API reference, whose viewer is not ours to judge by axe', async ({ page }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto('/docs/api');
    await expect(page.getByText('/keys/verify').first()).toBeVisible();
    await noHorizontalScroll(page);
  }
});

test('a developer does not reach the admin pages', async ({ page, product, complaints }) => {
  complaints.allow(/403/);
  const person = somebody('curious');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  for (const path of OPERATOR) expect((await page.goto(path))?.status(), path).toBe(403);
});
