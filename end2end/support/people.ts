// What people do in many journeys, by the names that CONTRACT fixes.
import type { Page } from '@playwright/test';
import { linkIn, type Mailbox } from './smtp';

export interface Person {
  email: string;
  password: string;
}

let people = 0;

/** Somebody new: no two tests share an account. */
export function somebody(name = 'dev'): Person {
  people += 1;
  return { email: `${name}-${process.pid}-${people}@example.com`, password: 'ferry otter granite lamp' };
}

/** Signs up and confirms the address by the link of the mail. */
export async function signUp(page: Page, mailbox: Mailbox, person: Person): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  const mail = await mailbox.waitFor({ to: person.email });
  await page.goto(linkIn(mail, '/verify-email'));
  await page.getByRole('main').getByRole('button').first().click(); // opening the link alone changes nothing
  await page.waitForURL((url) => !url.pathname.startsWith('/verify-email'));
}

/** The secret that is shown is stored: says so, and ends its one time. */
export async function stored(page: Page): Promise<void> {
  await page.getByLabel('I have stored it').check();
  await page.getByRole('button', { name: 'Done' }).click();
}

export async function signIn(page: Page, person: Person): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}
