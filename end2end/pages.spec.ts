// Every page, light and dark: axe finds nothing, the console is silent, nothing scrolls sideways or is lost at 360 px. Most lists are empty
// here; filled.spec.ts looks at full ones, and states.spec.ts at what stands behind mailed links, which nobody has opened here.
import { readFileSync } from 'node:fs';
import { accessibleInBothThemes, eachPage, hydrated, lookAt, noHorizontalScroll } from './support/checks';
import { DOCS } from './support/docs';
import { signIn, signUp, somebody, stored } from './support/people';
import { expect, test } from './support/test';

const SIGNED_OUT = ['/', '/sign-up', '/sign-up?with=passkey', '/sign-in', '/sign-in/code', '/sign-in/with/none/callback', '/forgot-password', '/reset-password', '/verify-email', '/unlock', '/not-me', '/keep-factors', '/confirm-email', '/undo-email', '/delete-account', '/come-back', '/docs', '/status', '/sign-in/with/none', '/sign-out', '/dev/ui', '/dev/ui?frame=auth', '/dev/ui?frame=public', '/dev/ui?frame=missing', '/dev/ui?frame=failed', '/dev/mailbox', '/nothing-here'];
const SIGNED_IN = ['/home', '/keys', '/keys?dialog=new', '/keys/find', '/keys/import', '/keys/create-many', '/keys/many?act=disable&all=true', '/keys/many?act=tag&all=true', '/usage', '/usage/errors', '/requests', '/exports', '/settings/profile', '/settings/security', '/settings/sessions', '/settings/notifications', '/settings/email', '/settings/public', '/settings/danger', '/settings/danger?act=deactivate', '/settings/security/authenticator', '/settings/security/passkey', '/settings/security/link', '/settings/security/recovery-codes', '/sign-out', '/step-up', '/acting', '/device'];
const OPERATOR = ['/admin', '/admin/accounts', '/admin/accounts/import', '/admin/accounts/many?act=disable&all=true', '/admin/bans', '/admin/fields', '/admin/invites', '/admin/sessions', '/admin/sessions?edit=role:operator', '/admin/apis', '/admin/apis/demo', '/admin/apis/demo?bundle=', '/admin/plans', '/admin/groups', '/admin/keys', '/admin/keys/many?act=disable&all=true', '/admin/keys/many?act=plan&all=true', '/admin/refusals', '/admin/blocks', '/admin/templates', '/admin/templates?kind=accounts.new_device&language=de&sample=markup', '/admin/jobs'];
// In these, `:id` and `:handle` are those of what the test has made.
const OF_A_KEY = ['/keys/:id', '/keys/:id?dialog=rotate', '/keys/:id?dialog=narrow', '/keys/:id?dialog=revoke', '/keys/:id?dialog=disable', '/keys/:id/sign', '/keys', '/usage?key=:id'];
const OF_A_PERSON = ['/u/:handle'];
const OF_AN_ACCOUNT = ['/admin/accounts/:id'];
const ELSEWHERE = ['/docs/api']; // has a test of its own below

const filled = (paths: string[], values: Record<string, string>): string[] => paths.map((path) => path.replace(/:(\w+)/g, (_, name: string) => values[name]));

test('signed out', async ({ page, complaints }) => {
  complaints.allow(/404/);
  await eachPage(page, SIGNED_OUT);
});

// A link in the label's line is no step on the way from the address to the password.
test('Tab leads from field to field, and to what stands beside a label after its field', async ({ page }) => {
  for (const [path, part, after] of [['/sign-in', 'main', 'Sign in'], ['/dev/ui', '#field', undefined]] as const) {
    await page.goto(path);
    await hydrated(page);
    const form = page.locator(part);
    const password = form.getByLabel('Password', { exact: true });
    const forgot = form.getByRole('link', { name: 'Forgot it?' });
    const reveal = form.getByRole('button', { name: 'Show password' });
    await expect(reveal).toBeVisible();
    const steps = [reveal, forgot];
    if (after === undefined) await password.focus();
    else {
      await form.getByLabel('Email').focus();
      steps.unshift(password);
      steps.push(form.getByRole('button', { name: after, exact: true }));
    }
    for (const step of steps) {
      await page.keyboard.press('Tab');
      await expect(step, path).toBeFocused();
    }
    const [label, link, input] = await Promise.all([form.getByText('Password', { exact: true }), forgot, password].map(async (one) => (await one.boundingBox())!));
    expect(Math.abs(label.y + label.height / 2 - link.y - link.height / 2), `${path}: in one line`).toBeLessThan(3);
    expect(Math.abs(link.x + link.width - input.x - input.width), `${path}: at its end`).toBeLessThan(2);
  }
});

test('the docs', async ({ page }) => {
  await eachPage(page, DOCS);
});

test('a developer', async ({ page, product }) => {
  const person = somebody('pages');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await eachPage(page, SIGNED_IN);
  await page.goto('/keys');
  await page.getByLabel('Name', { exact: true }).fill('a key');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByTestId('secret').waitFor();
  const key = new URL(page.url()).pathname;
  page.on('dialog', (dialog) => void dialog.accept());
  await eachPage(page, [key]);
  await stored(page);
  await page.getByText('Turn on signed requests').click();
  await page.getByRole('form', { name: 'Sign with HMAC-SHA-256' }).getByRole('button').click();
  await page.getByTestId('secret').waitFor();
  await eachPage(page, [key]);
  await page.getByLabel('I have stored it').check();
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
  await expect(page.getByTestId('secret')).toHaveCount(0);
  await eachPage(page, filled(OF_A_KEY, { id: key.split('/').pop() ?? '' }));
  await page.goto(`${key}/sign`);
  await page.getByLabel('URL').fill('https://api.example.com/orders');
  await page.getByRole('button', { name: 'Sign', exact: true }).click();
  await expect(page.locator('pre#curl')).toContainText('Signature-Input');
  await lookAt(page, 'Sign a call');

  await page.goto('/settings/public');
  const handle = person.email.split('@')[0];
  await page.getByLabel('Handle').fill(handle);
  await Promise.all([page.waitForResponse((answer) => answer.request().method() === 'POST'), page.getByRole('button', { name: 'Save' }).click()]);
  await eachPage(page, filled(OF_A_PERSON, { handle }));
});

test('an operator', async ({ page, product, complaints }) => {
  complaints.allow(/Blocked script execution in '[^']*\/admin\/templates\/preview/); // axe tries every frame; no script runs in that of a mail
  const operator = { email: 'pages-operator@example.com', password: 'lantern copper meadow nine' };
  await product.cli(['admin', 'create', '--email', operator.email, '--password-stdin'], operator.password);
  await signIn(page, operator);
  await eachPage(page, OPERATOR);
  await page.goto('/admin/accounts');
  const account = await page.locator('a[href*="/admin/accounts/acc_"]').first().getAttribute('href');
  await eachPage(page, filled(OF_AN_ACCOUNT, { id: new URL(account ?? '', page.url()).pathname.split('/').pop() ?? '' }));
});

test('every route of the application is among these pages', () => {
  // Kept in step with src/app.rs by a Rust test (src/tests/routes.rs).
  const routes = JSON.parse(readFileSync(new URL('support/routes.json', import.meta.url), 'utf8')) as string[];
  const listed = [...SIGNED_OUT, ...DOCS, ...SIGNED_IN, ...OPERATOR, ...OF_A_KEY, ...OF_A_PERSON, ...OF_AN_ACCOUNT, ...ELSEWHERE].map((path) => path.split('?')[0]);
  // A part of a route that is a parameter stands for any one, but a page of its own (`/keys/find`) is not one of `/keys/:id`.
  const isOf = (route: string, path: string): boolean => path === route || (!routes.includes(path) && new RegExp(`^${route.replace(/:\w+/g, '[^/]+')}$`).test(path));
  expect(routes.filter((route) => !listed.some((path) => isOf(route, path)))).toEqual([]);
});

test('the API reference, around its viewer, which is not ours to judge by axe', async ({ page }) => {
  await page.goto('/docs/api');
  await expect(page.getByText('/keys/verify').first()).toBeVisible();
  await accessibleInBothThemes(page, '#swagger-ui');
  await noHorizontalScroll(page);
});

test('a developer does not reach the admin pages', async ({ page, product, complaints }) => {
  complaints.allow(/403/);
  const person = somebody('curious');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  expect((await page.goto('/admin'))?.status()).toBe(403);
  for (const path of OPERATOR) expect((await page.request.get(path, { headers: { Accept: 'text/html' } })).status(), path).toBe(403); // nothing to see
});

test('what is not there is said in the frame of who is signed in, who signs out there', async ({ page, product, complaints }) => {
  complaints.allow(/404/);
  const person = somebody('lost');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await eachPage(page, ['/nothing-here']);
  await expect(page.getByRole('navigation', { name: 'You are here' })).toContainText('Not found');
  await page.locator('[popovertarget="account-menu"]').click();
  await page.locator('#account-menu').getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');
  await page.goto('/nothing-here');
  await expect(page.getByRole('link', { name: 'Sign in', exact: true })).toBeVisible();
});
