// The way through the docs: their contents stay beside each page, on a phone behind a button that needs no JavaScript.
import type { Page } from '@playwright/test';
import { accessible, accessibleAndNarrow, hydrated, NARROW } from './support/checks';
import { expect, test } from './support/test';

const contents = (page: Page) => page.getByRole('navigation', { name: 'Contents' });
const current = (page: Page) => contents(page).locator('[aria-current="page"]');

test('the contents stay beside each page, and a first link leads past them', async ({ page }) => {
  await page.goto('/docs');
  await hydrated(page);
  await expect(current(page)).toHaveText('Start');
  await contents(page).getByRole('link', { name: 'Limits', exact: true }).click();
  await expect(page).toHaveURL(/\/docs\/limits$/);
  await hydrated(page);
  await expect(page).toHaveTitle('Limits · Docs · Tollgate');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Limits');
  await expect(current(page)).toHaveText('Limits');

  const past = page.getByRole('link', { name: 'Skip the contents' });
  await past.focus();
  await expect(past).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#article$/);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('navigation', { name: 'On this page' }).getByRole('link').first()).toBeFocused();

  await page.getByRole('navigation', { name: 'On this page' }).getByRole('link', { name: 'Levels' }).click();
  await expect(page.getByRole('heading', { name: 'Levels' })).toBeInViewport();
  await expect(contents(page), 'it has not scrolled away').toBeInViewport();
  await page.getByRole('navigation', { name: 'Previous and next page' }).getByRole('link', { name: /^Next/ }).click();
  await expect(current(page)).toHaveText('Other kinds of limits');
  await hydrated(page);
});

test('an anchor of the one long page leads to where it went, and a type of a problem to its line', async ({ page }) => {
  await page.goto('/docs#outages');
  await hydrated(page);
  const entry = page.locator('#outages');
  await expect(entry).toBeInViewport();
  await entry.click();
  await expect(page).toHaveURL(/\/docs\/operate#outages$/);
  await hydrated(page);
  await expect(page.getByRole('heading', { name: 'Without the database' })).toBeInViewport();
  await page.goto('/docs#error-cut-off');
  await expect(page.getByRole('row', { name: /^CUT_OFF/ })).toBeInViewport();
  await hydrated(page);
});

for (const scripts of [true, false]) {
  test.describe(scripts ? 'on a phone' : 'on a phone without JavaScript', () => {
    test.use({ javaScriptEnabled: scripts, viewport: NARROW });

    test('the contents open and lead on', async ({ page }) => {
      await page.goto('/docs/keys');
      if (scripts) await hydrated(page);
      await expect(contents(page)).toBeHidden();
      await page.getByRole('button', { name: 'Contents', exact: true }).click();
      await expect(current(page)).toHaveText('Keys');
      if (scripts) await accessible(page);
      await contents(page).getByRole('link', { name: 'Sign-in' }).click();
      await expect(page).toHaveURL(/\/docs\/sign-in$/);
      if (scripts) await hydrated(page);
      await expect(contents(page)).toBeHidden();
      await accessibleAndNarrow(page, scripts);
    });
  });
}
