// Living with keys: many at once, a rotation that ends the old secret by itself, and whose a pasted key is.
import type { Page } from '@playwright/test';
import { hydrated, noHorizontalScroll, openMenu } from './support/checks';
import { signIn, signUp, somebody, stored } from './support/people';
import type { Product } from './support/product';
import { expect, test } from './support/test';

test.use({ contextOptions: { reducedMotion: 'no-preference' } }); // pages fade and dialogs move, as for most people

async function developer(page: Page, product: Product): Promise<void> {
  const person = somebody('keys');
  page.on('dialog', (dialog) => void dialog.accept()); // the page with the secret asks before it is left
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
}

async function newKey(page: Page, name: string): Promise<string> {
  await page.goto('/keys?dialog=new');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Name', { exact: true }).press('Enter');
  return shownSecret(page);
}

async function shownSecret(page: Page): Promise<string> {
  const secret = (await page.getByTestId('secret').innerText()).trim();
  await stored(page);
  await expect(page.getByTestId('secret')).toHaveCount(0);
  return secret;
}

/** What a proxy is told about a call with this secret. */
async function call(product: Product, secret: string): Promise<number> {
  const answer = await fetch(`${product.url}/forward-auth/demo`, {
    headers: { Authorization: `Bearer ${secret}`, 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/orders' },
  });
  return answer.status;
}

function withAndWithoutJavaScript(title: string, journey: (page: Page, product: Product) => Promise<void>): void {
  test(title, async ({ page, product, complaints }) => {
    complaints.allow(/422/);
    await journey(page, product);
  });
  test.describe('without JavaScript', () => {
    test.use({ javaScriptEnabled: false });
    test(title, async ({ page, product, complaints }) => {
      complaints.allow(/422/);
      await journey(page, product);
    });
  });
}

withAndWithoutJavaScript('many keys are looked at first, then disabled and revoked at once', async (page, product) => {
  await developer(page, product);
  const [till, shop, other] = [await newKey(page, 'till'), await newKey(page, 'shop'), await newKey(page, 'warehouse')];
  const act = async (names: string[], what: string) => {
    await page.goto('/keys');
    for (const name of names) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    await page.getByLabel('What to do with them').selectOption(what);
    await page.getByRole('button', { name: 'Preview' }).click();
  };

  await page.goto('/keys');
  const box = page.getByRole('checkbox', { name: 'Select warehouse' });
  await box.check();
  await page.getByRole('button', { name: 'Clear the selection' }).click();
  await expect(box).not.toBeChecked();
  await expect(page.getByRole('button', { name: 'Preview' }), 'and the bar is gone').toBeHidden();

  await act(['till', 'shop'], 'disable');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Disable 2 keys');
  await expect(page.getByRole('table')).not.toContainText('warehouse');
  expect(await call(product, till), 'looking changes nothing').toBe(200);
  await page.getByLabel('Reason').fill('the season is over');
  await page.getByRole('button', { name: 'Disable 2 keys' }).click();
  await expect(page.getByRole('status').filter({ hasText: '2 keys are disabled.' })).toBeVisible();
  expect([await call(product, till), await call(product, shop), await call(product, other)]).toEqual([401, 401, 200]);

  await act(['till', 'shop', 'warehouse'], 'revoke');
  const revoke = page.getByRole('button', { name: 'Revoke 3 keys' });
  await page.getByLabel('Type 3 to confirm').fill('2');
  await page.getByLabel('Reason').fill('all of them leaked');
  await revoke.click();
  await expect(page.getByRole('alert').first()).toContainText('Type 3');
  await expect(page.getByLabel('Reason'), 'nothing that was typed is lost').toHaveValue('all of them leaked');
  await page.getByLabel('Type 3 to confirm').fill('3');
  await revoke.click();
  await expect(page.getByRole('status').filter({ hasText: '3 keys are revoked' })).toBeVisible();
  expect(await call(product, other)).toBe(401);
});

withAndWithoutJavaScript('a key is disabled at once, and enabled again by Undo', async (page, product) => {
  await developer(page, product);
  const secret = await newKey(page, 'switched');
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  const toast = page.getByRole('status').filter({ hasText: 'is disabled' });
  await expect(toast).toBeVisible();
  expect(await call(product, secret)).toBe(401);
  await toast.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'is enabled' })).toBeVisible();
  expect(await call(product, secret)).toBe(200);
  await openMenu(page, 'More for this key');
  await page.getByRole('link', { name: 'Disable with a reason' }).click();
  await page.getByLabel('Reason').fill('the season is over');
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await expect(page.getByRole('main')).toContainText('the season is over');
  expect(await call(product, secret)).toBe(401);
});

withAndWithoutJavaScript('a rotation ends the old secret with the first use of the new one', async (page, product) => {
  await developer(page, product);
  const old = await newKey(page, 'rotated');
  expect(await call(product, old)).toBe(200);
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  await page.getByRole('radio', { name: 'Until the new one is first used' }).check();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  const next = await shownSecret(page);
  expect(next).not.toBe(old);

  const secrets = page.getByRole('region', { name: 'Secrets' });
  await expect(secrets.getByRole('row', { name: old.slice(0, 14) })).toContainText('at the latest');
  await noHorizontalScroll(page);
  expect(await call(product, old), 'until then it passes').toBe(200);
  const row = secrets.getByRole('row', { name: old.slice(0, 14) });
  await expect
    .poll(async () => {
      await page.reload();
      return row.textContent();
    }, 'who rotates sees that somebody still has it')
    .toContain('1 call in 24 hours');
  await expect(row).toContainText('Still used');
  await expect(secrets.getByText('Who sent')).toBeVisible();
  expect(await call(product, next)).toBe(200);
  expect(await call(product, old), 'from that call on it does not').toBe(401);
  expect(await call(product, next)).toBe(200);
  await expect(async () => {
    await page.reload();
    await expect(secrets.getByRole('row', { name: old.slice(0, 14) })).toHaveCount(0, { timeout: 500 });
  }, 'and is gone as soon as the database knows').toPass();
});

test('two tabs change one key, and neither loses what the other did', async ({ page, product }) => {
  await developer(page, product);
  await newKey(page, 'in two tabs');
  const key = new URL(page.url()).pathname;
  const other = await page.context().newPage();
  other.on('dialog', (dialog) => void dialog.accept());
  const tabs = [page, other];

  // Both were opened before either rotates: each is given a secret of its own, and both pass.
  await Promise.all(tabs.map((tab) => tab.goto(`${key}?dialog=rotate`)));
  const secrets: string[] = [];
  for (const tab of tabs) {
    await tab.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    secrets.push(await shownSecret(tab));
  }
  expect(new Set(secrets).size).toBe(2);
  for (const secret of secrets) await expect.poll(() => call(product, secret)).toBe(200);

  // The second one is told, keeps what was typed, and overwrites only when it is sent again; the history has both.
  await Promise.all(tabs.map((tab) => tab.goto(key)));
  const [here, there] = tabs.map((tab) => tab.getByRole('region', { name: 'Settings' }));
  await here.getByLabel('Name', { exact: true }).fill('named here');
  await here.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('named here');
  await there.getByLabel('Tags', { exact: true }).fill('prod');
  await there.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(there).toContainText('This key was changed after you opened this page');
  await expect(there).toContainText('Stored now: named here');
  await expect(there.getByLabel('Tags', { exact: true })).toHaveValue('prod');
  await expect(other.getByRole('heading', { level: 1 }), 'nothing was taken back').toContainText('named here');
  await there.getByLabel('Name', { exact: true }).fill('named there');
  await there.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(other.getByRole('heading', { level: 1 })).toContainText('named there');
  await page.goto(key);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('named there');
  const history = page.getByRole('region', { name: 'History' });
  for (const name of ['named here', 'named there']) await expect(history).toContainText(name);
});

test('pressing Rotate twice rotates once', async ({ page, product }) => {
  await developer(page, product);
  const old = await newKey(page, 'pressed twice');
  const key = new URL(page.url()).pathname;
  await page.goto(`${key}?dialog=rotate`);
  await expect(page.getByRole('radio', { name: 'For a day' }), 'what is chosen has the focus, not the way out').toBeFocused();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).dblclick();
  const next = await shownSecret(page);
  expect(next).not.toBe(old);
  await page.goto(key);
  await expect(page.getByRole('region', { name: 'Secrets' }).locator('tbody tr'), 'the old one and the new one').toHaveCount(2);
  for (const secret of [old, next]) await expect.poll(() => call(product, secret)).toBe(200);
});

test('a pasted key finds its owner, and never leaves the browser', async ({ page, product }) => {
  await developer(page, product);
  const secret = await newKey(page, 'found again');
  const sent: string[] = [];
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''} ${JSON.stringify(request.headers())}`));
  await page.goto('/keys/find');
  await page.getByLabel('Key', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page.getByRole('main')).toContainText('This is found again of');
  expect(sent.length).toBeGreaterThan(1);
  for (const request of sent) expect(request).not.toContain(secret);

  await page.getByRole('link', { name: 'Revoke it' }).click();
  await expect(page.getByRole('dialog')).toContainText('found again');

  await page.goto('/keys');
  await page.getByLabel('Search').fill(`Bearer ${secret}`);
  await page.getByLabel('Search').press('Enter');
  await expect(page.getByRole('main'), 'in the search too, among other words').toContainText('This is found again of');
  for (const request of sent) expect(request).not.toContain(secret);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('a pasted key finds its owner, and stands in no address', async ({ page, product }) => {
    await developer(page, product);
    const secret = await newKey(page, 'found again');
    await page.goto('/keys/find');
    await page.getByLabel('Key', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Find' }).click();
    await expect(page.getByRole('main')).toContainText('This is found again of');
    expect(page.url()).not.toContain(secret);
    expect(await product.log()).not.toContain(secret);

    await page.goto('/keys');
    await page.getByLabel('Search').fill(secret);
    await page.getByLabel('Search').press('Enter');
    await expect(page.locator('input[type=search]:invalid'), 'the browser says where to look').toHaveCount(1);
    expect(page.url()).not.toContain(secret);
  });
});

test('a dialog that is closed gives the focus back to what opened it', async ({ page, product }) => {
  await developer(page, product);
  await newKey(page, 'checkout');
  const revoke = page.getByRole('button', { name: 'Revoke', exact: true });
  for (const close of ['Escape', 'Cancel']) {
    await hydrated(page);
    await revoke.press('Enter');
    await page.waitForURL(/dialog=revoke/);
    await hydrated(page);
    if (close === 'Escape') await page.keyboard.press('Escape');
    else await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).press('Enter');
    await page.waitForURL((url) => !url.searchParams.has('dialog'));
    await expect(revoke, close).toBeFocused();
  }
});
