// An operator watches over everybody: a key is disabled and the next call refused; an account is kept out and let in again.
import type { Locator, Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { accessibleAndNarrow, hydrated } from './support/checks';
import { startOrders, type Orders } from './support/orders';
import { signIn, signUp, somebody, stored, type Person } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

let orders: Orders | undefined;
test.afterAll(async () => orders?.stop());

let operators = 0;

async function operator(product: Product): Promise<Person> {
  operators += 1;
  const person = { email: `operator-${process.pid}-${operators}@example.com`, password: 'lantern copper meadow nine' };
  await product.cli(['admin', 'create', '--email', person.email, '--password-stdin'], person.password);
  return person;
}

/** The form of a new thing, which waits behind a button with its name. */
async function newForm(page: Page, name: string): Promise<Locator> {
  const form = page.getByRole('form', { name });
  if (!(await form.isVisible())) await page.getByText(name, { exact: true }).click();
  await expect(form).toBeVisible();
  return form;
}

/** Somebody signed in with a key, whose calls pass. */
async function holder(page: Page, product: Product): Promise<{ person: Person; secret: string; key: string }> {
  const person = somebody('holder');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const key = `till of ${person.email}`;
  await page.goto('/keys');
  await page.getByLabel('Name', { exact: true }).fill(key);
  await page.getByLabel('Name', { exact: true }).press('Enter');
  const secret = (await page.getByTestId('secret').innerText()).trim();
  return { person, secret, key };
}

async function journey(product: Product, page: Page, other: Page): Promise<void> {
  orders ??= await startOrders(product.url);
  const { person, secret, key } = await holder(page, product);
  const call = (path = '/orders') => fetch(`${orders!.nginx}${path}`, { headers: { Authorization: `Bearer ${secret}` } });
  expect((await call()).status).toBe(200);

  await signIn(other, await operator(product));
  await other.goto('/admin');
  await expect(other.getByRole('heading', { level: 1 })).toContainText('Everything passes');

  await other.goto(`/admin/keys?q=${encodeURIComponent(key)}`);
  const row = other.getByRole('row', { name: key });
  await row.getByRole('button', { name: /^More for/ }).click();
  await row.getByRole('link', { name: 'Disable' }).click();
  const dialog = other.getByRole('dialog', { name: `Disable ${key}` });
  await expect(dialog).toContainText('answered DISABLED');
  await dialog.getByLabel('Reason').fill('it calls too often');
  await dialog.getByRole('button', { name: 'Disable' }).click();
  await expect(other.getByRole('status').filter({ hasText: 'is disabled' })).toBeVisible();
  expect((await call()).status, 'the next call is refused').toBe(401);

  await row.getByRole('button', { name: /^More for/ }).click();
  await row.getByRole('link', { name: 'Enable' }).click();
  await other.getByRole('dialog').getByRole('button', { name: 'Enable' }).click();
  await expect(other.getByRole('status').filter({ hasText: 'is enabled' })).toBeVisible();
  expect((await call()).status).toBe(200);

  await other.goto(`/admin/accounts?q=${encodeURIComponent(person.email)}`);
  await other.getByRole('row', { name: person.email }).getByRole('link').click();
  await other.getByRole('button', { name: 'Disable' }).click();
  await expect(other.getByRole('main')).toContainText('1 session ends and 1 key is answered BANNED');
  await other.getByRole('button', { name: 'Disable' }).click();
  await expect(other.getByRole('alert'), 'a reason is needed').toContainText('Reason');
  await other.getByLabel('Reason').fill('the key was in a public repository');
  await other.getByRole('button', { name: 'Disable' }).click();
  await expect(other.getByRole('main')).toContainText('the key was in a public repository');
  await expect.poll(async () => (await call()).status).toBe(403);
  await page.goto('/keys');
  await expect(page, 'the person is signed out').toHaveURL(/\/sign-in/);

  await other.getByRole('button', { name: 'Enable' }).click();
  await expect.poll(async () => (await call()).status).toBe(200);
  await signIn(page, person);
}

test('an operator stops a key, then an account, and lets both pass again', async ({ page, product, anotherVisitor, complaints }) => {
  complaints.allow(/422/);
  page.on('dialog', (dialog) => void dialog.accept()); // the page with the secret asks before it is left
  await journey(product, page, await anotherVisitor());
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, anotherVisitor, complaints }) => {
    complaints.allow(/422/);
    await journey(product, page, await anotherVisitor({ javaScriptEnabled: false }));
  });
});

test('an API that an operator describes can be chosen for a new key', async ({ page, product }) => {
  await signIn(page, await operator(product));
  const slug = `api${process.pid}`;
  await page.goto('/admin/apis');
  const form = await newForm(page, 'New API');
  await form.getByLabel('Name').fill('Price list');
  await form.getByLabel('Slug').fill(slug);
  await form.getByLabel('Permissions').fill('prices:read Read prices\nprices:write Change prices');
  await form.getByRole('button', { name: 'Create API' }).click();
  await expect(page.getByRole('row', { name: /Price list/ })).toContainText(`${slug}_live_`);
  await page.goto('/keys');
  await page.getByRole('link', { name: /^(choose|Choose API)/ }).click();
  await expect(page.getByRole('dialog').getByRole('radio', { name: /Price list/ })).toBeVisible();
});

test.describe('routes of an API', () => {
  const needs = async (page: Page, product: Product) => {
    await signIn(page, await operator(product));
    const slug = `routes${process.pid}${operators}`;
    await product.cli(['api', 'create', '--slug', slug, '--name', 'Prices', '--permission', 'prices:read', '--permission', 'prices:set']);
    await page.goto(`/admin/apis/${slug}`);
    const form = await newForm(page, 'New route');
    await form.getByLabel('Method').selectOption('POST');
    await form.getByLabel('Path').fill('/prices/{id}');
    await form.getByLabel('Needs').selectOption('prices:set');
    await form.getByLabel('Cost of a call').fill('5');
    await form.getByRole('button', { name: 'Add route' }).click();
    await expect(page.getByRole('row', { name: '/prices/{id}' })).toContainText('prices:set');

    await page.goto('/keys?dialog=new');
    await page.getByLabel('Name', { exact: true }).fill('price reader');
    await page.getByRole('radio', { name: /Read-only/ }).check();
    await page.getByRole('dialog').locator(`input[name=api][value=${slug}]`).check();
    await page.getByRole('button', { name: 'Create key' }).click();
    await stored(page);
    await expect(page.getByTestId('secret')).toHaveCount(0);

    const trial = page.getByRole('form', { name: 'Would this call pass?' });
    await trial.getByLabel('Method').selectOption('POST');
    await trial.getByLabel('Path').fill('/prices/17');
    await trial.getByRole('button', { name: 'Try' }).click();
    await expect(page.getByText('POST /prices/17 would be answered FORBIDDEN.')).toBeVisible();
    await expect(page.getByRole('row', { name: /Permission/ }).last()).toContainText('This call needs prices:set');
  };

  const changes = async (page: Page, product: Product, scripts: boolean) => {
    await signIn(page, await operator(product));
    const slug = `edits${process.pid}${operators}`;
    await product.cli(['api', 'create', '--slug', slug, '--name', 'Prices', '--permission', 'prices:read', '--permission', 'prices:set']);
    await product.cli(['api', 'route', 'add', slug, 'GET', '/prices', '--permission', 'prices:read']);
    await product.cli(['api', 'route', 'add', slug, 'POST', '/prices', '--permission', 'prices:set', '--cost', '5']);
    await page.goto(`/admin/apis/${slug}`);
    await page.getByRole('link', { name: 'Edit POST /prices' }).click();
    const form = page.getByRole('form', { name: 'Change the route' });
    await expect(form.getByLabel('Cost of a call')).toHaveValue('5');
    await accessibleAndNarrow(page, scripts);
    await form.getByLabel('Method').selectOption('GET');
    await form.getByLabel('Description').fill('New prices');
    await form.getByRole('button', { name: 'Save route' }).click();
    await expect(form.getByText('Another route matches the same calls as GET /prices.')).toBeVisible();
    await expect(form.getByLabel('Description'), 'what was typed stays').toHaveValue('New prices');
    await form.getByLabel('Method').selectOption('PUT');
    await form.getByLabel('Needs').selectOption('');
    await form.getByRole('button', { name: 'Save route' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'The route is saved.' })).toBeVisible();
    await expect(page.getByRole('row', { name: 'New prices' })).toContainText('any key');

    await page.getByRole('link', { name: 'Remove PUT /prices' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove PUT /prices' });
    await expect(dialog).toContainText('Calls to PUT /prices then need no permission and cost 1 unit.');
    await accessibleAndNarrow(page, scripts);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByRole('row', { name: '/prices' })).toHaveCount(2);
    await page.getByRole('link', { name: 'Remove GET /prices' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'no longer has the route GET /prices.' })).toBeVisible();
    await expect(page.getByRole('row', { name: '/prices' })).toHaveCount(1);
  };

  test('say what calls need, and the page of a key tries one', async ({ page, product }) => needs(page, product));
  test('are edited in place, and removed after a question', async ({ page, product, complaints }) => {
    complaints.allow(/422/);
    await changes(page, product, true);
  });

  test.describe('without JavaScript', () => {
    test.use({ javaScriptEnabled: false });
    test('the same', async ({ page, product }) => needs(page, product));
    test('edited and removed the same', async ({ page, product, complaints }) => {
      complaints.allow(/422/);
      await changes(page, product, false);
    });
  });
});

test('a plan that an operator describes holds whom it is given to', async ({ page, product, anotherVisitor }) => {
  page.on('dialog', (dialog) => void dialog.accept());
  const other = await anotherVisitor();
  const { person, key } = await holder(page, product);
  await signIn(other, await operator(product));
  const slug = `plan${process.pid}`;
  await other.goto('/admin/plans');
  const form = await newForm(other, 'New plan');
  await form.getByLabel('Name').fill('Trial');
  await form.getByLabel('Slug').fill(slug);
  await form.getByLabel('Units a day').fill('1234');
  await form.getByRole('button', { name: 'Create plan' }).click();
  await expect(other).toHaveURL(new RegExp(`edit=${slug}$`));
  await other.getByLabel('Give it to').fill(person.email);
  await other.getByRole('button', { name: 'Assign' }).click();
  await expect(other.getByRole('button', { name: /^Take the plan from/ })).toBeVisible();
  await other.getByRole('button', { name: 'Who would be limited?' }).click();
  await expect(other.getByRole('main')).toContainText('nobody would have been held back');

  await page.goto('/keys');
  await page.getByRole('row', { name: key }).getByRole('link').first().click();
  await stored(page); // the secret is still shown
  await expect(page.getByRole('main')).toContainText('Counted for all keys of the workspace together.');
  await page.getByText('Why this limit?').click();
  await expect(page.getByRole('row', { name: /Plan of the workspace/ })).toContainText('1,234 units a day');
});

/** One operator tries a limit while another one saves it: the answer of the try stands for what its form showed, and takes nothing back. */
async function tried(page: Page, other: Page, product: Product): Promise<void> {
  await signIn(page, await operator(product));
  await signIn(other, await operator(product));
  const slug = `tried${process.pid}${operators}`;
  await page.goto('/admin/plans');
  const plan = await newForm(page, 'New plan');
  await plan.getByLabel('Name').fill('Tried');
  await plan.getByLabel('Slug').fill(slug);
  await plan.getByLabel('Units a day').fill('1000');
  await plan.getByRole('button', { name: 'Create plan' }).click();
  await expect(page).toHaveURL(new RegExp(`edit=${slug}$`));
  const form = (of: Page) => of.getByRole('form', { name: 'Change the limit day' });
  for (const who of [page, other]) await who.goto(`/admin/plans?edit=${slug}&set=day`);
  await form(other).getByLabel('How many').fill('2000');
  await form(other).getByRole('button', { name: 'Save limit' }).click();
  await expect(other.getByRole('status').filter({ hasText: 'The limit applies from now on.' })).toBeVisible();

  await form(page).getByLabel('How many').fill('300');
  await form(page).getByRole('button', { name: 'Who would be limited?' }).click();
  await expect(page.getByRole('main')).toContainText('Nothing is saved.');
  await form(page).getByRole('button', { name: 'Save limit' }).click();
  await expect(form(page).getByRole('alert')).toContainText('changed after you opened this page');
  await expect(form(page)).toContainText('Stored now: 2000');
  await form(page).getByRole('button', { name: 'Save limit' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The limit applies from now on.' })).toBeVisible();
}

test('an operator who tries a limit takes nothing back by saving it', async ({ page, product, anotherVisitor, complaints }) => {
  complaints.allow(/409/);
  await tried(page, await anotherVisitor(), product);
});

test.describe('a limit that is tried, without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('the same', async ({ page, product, anotherVisitor, complaints }) => {
    complaints.allow(/409/);
    await tried(page, await anotherVisitor({ javaScriptEnabled: false }), product);
  });
});

test('the files of a list are behind one button, by keyboard too, and a file that is saved closes them', async ({ page, product }) => {
  const person = await operator(product);
  await product.cli(['key', 'create', '--account', person.email, '--api', 'demo', '--name', 'in the file', '--json']);
  await signIn(page, person);
  await page.goto('/admin/keys');
  await hydrated(page);
  const button = page.getByRole('button', { name: 'Export keys' });
  const csv = page.getByRole('link', { name: 'Export keys, CSV' });
  await button.press('Enter');
  await expect(csv).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(csv).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(csv).toBeHidden();
  await expect(button).toBeFocused();
  await button.press('Enter');
  const [download] = await Promise.all([page.waitForEvent('download'), csv.click()]);
  expect(await readFile(await download.path(), 'utf8')).toContain('in the file');
  await expect(csv).toBeHidden();
});
