// Passkeys with Chromium's virtual authenticator: added, signed in with (by the button and by the suggestion), proven again with,
// removed; and an account that never had a password. The product stands on localhost: an address alone takes no passkeys.
import type { Page } from '@playwright/test';
import { launchOptions } from './support/browser';
import { accessible, noHorizontalScroll } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import { startProduct, type Product } from './support/product';
import { linkIn } from './support/smtp';
import { expect, test as base } from './support/test';

const test = base.extend<object, { product: Product }>({
  product: [
    async ({}, use, worker) => {
      const product = await startProduct(`passkeys-${worker.workerIndex}`, {}, 'localhost');
      await use(product);
      await product.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

test.use({ launchOptions: launchOptions(true) });

interface Authenticator {
  /** Whether it answers by itself, as somebody would who is there. */
  answers(yes: boolean): Promise<void>;
  /** How many passkeys it has. */
  count(): Promise<number>;
}

/** Gives the page's browser an authenticator that keeps passkeys, verifies its person and answers by itself. */
async function withAuthenticator(page: Page): Promise<Authenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    answers: async (yes) => { await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: yes }); },
    count: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  };
}

/** The browser suggests no passkeys: an authenticator that answers by itself would take a suggestion before a button is pressed. */
async function withoutSuggestions(page: Page): Promise<void> {
  await page.addInitScript(() => {
    if ('PublicKeyCredential' in window) PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  });
}

/** Adds a passkey on the security page; the recovery codes that come with the first are not looked at. */
async function addPasskey(page: Page, name: string): Promise<void> {
  await page.goto('/settings/security');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.waitForURL('**/settings/security/passkey');
  await accessible(page);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create passkey' }).click();
  await page.waitForURL('**/settings/security/recovery-codes');
  page.once('dialog', (dialog) => void dialog.accept()); // codes that were not saved ask before one leaves
  await page.goto('/settings/security');
  await expect(page.getByRole('row', { name: new RegExp(name) })).toBeVisible();
}

async function signOut(page: Page): Promise<void> {
  await page.goto('/sign-out');
  await page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');
}

test('a passkey is added, signs in, proves again and is removed', async ({ page, product }) => {
  await withoutSuggestions(page);
  const person = somebody('passkey');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const authenticator = await withAuthenticator(page);
  await addPasskey(page, 'Laptop');
  expect(await authenticator.count()).toBe(1);
  await expect(page.getByRole('row', { name: /Laptop/ })).toContainText('never');
  await noHorizontalScroll(page);

  await signOut(page);
  await expect(page.getByLabel('Email')).toHaveAttribute('autocomplete', 'username webauthn');
  await accessible(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.waitForURL('**/home');

  await page.goto('/step-up?use=passkey');
  await accessible(page);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.waitForURL('**/home');
  await expect(page.getByText('ask again for ten minutes')).toBeVisible();

  await page.goto('/settings/security');
  await page.getByRole('link', { name: 'Rename Laptop' }).click();
  await page.getByLabel('New name').fill('Desk');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: /Desk/ })).toBeVisible();
  await page.getByRole('button', { name: 'Remove Desk' }).click();
  await expect(page.getByText('You have no passkeys yet.')).toBeVisible();

  // The authenticator still has it; the site does not know it any more.
  await signOut(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page.getByRole('alert').first()).toBeVisible();
  await signIn(page, person);
  await expect(page, 'the password alone signs in again').toHaveURL(/\/home$/);
});

test('the browser suggests a passkey where the address is typed', async ({ page, product }) => {
  const person = somebody('suggested');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  expect(await page.evaluate(() => PublicKeyCredential.isConditionalMediationAvailable()), 'this browser suggests passkeys').toBe(true);
  const authenticator = await withAuthenticator(page);
  await addPasskey(page, 'Phone');
  await authenticator.answers(false);
  await signOut(page);
  await page.goto('/docs'); // ends what the page asked
  await authenticator.answers(true);
  await page.goto('/sign-in?next=%2Fkeys'); // the virtual authenticator takes the one suggestion by itself
  await page.waitForURL('**/keys');
});

test('after the password a passkey is the second factor', async ({ page, product }) => {
  await withoutSuggestions(page);
  const person = somebody('second');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  const authenticator = await withAuthenticator(page);
  await addPasskey(page, 'Laptop');
  await signOut(page);
  await signIn(page, person);
  await expect(page).toHaveURL(/\/sign-in\/code$/);
  await accessible(page);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL('**/home');
  expect(await authenticator.count()).toBe(1);
});

test('an account without a password', async ({ page, product }) => {
  await withoutSuggestions(page);
  const person = somebody('without');
  const authenticator = await withAuthenticator(page);
  await page.goto('/sign-up');
  await page.getByRole('link', { name: 'Use a passkey instead' }).click();
  await page.getByLabel('Email').fill(person.email);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/verify-email');
  expect(await authenticator.count()).toBe(1);
  await page.goto(linkIn(await product.mailbox.waitFor({ to: person.email }), '/verify-email'));
  await page.getByRole('main').getByRole('button').first().click();
  await page.waitForURL('**/sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.waitForURL('**/home');
  await page.goto('/settings/security');
  await page.getByRole('button', { name: /^Remove/ }).click();
  await expect(page.getByRole('alert').first(), 'the only way in stays').toContainText('your only way in');
});

test('a wrong address stands beside its field, with a passkey too', async ({ page, complaints }) => {
  complaints.allow(/422/); // the script's question is refused, then the form says why
  await page.goto('/sign-up?with=passkey');
  await page.getByLabel('Email').fill('no address');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Email')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Email')).toHaveValue('no address');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  test('no button is seen that would do nothing', async ({ page, product }) => {
    const person = somebody('plain');
    await signUp(page, product.mailbox, person);
    await page.goto('/sign-in');
    await expect(page.getByRole('button', { name: 'Sign in with a passkey' })).toBeHidden();
    await signIn(page, person);
    await expect(page).toHaveURL(/\/home$/);
  });
});
