// Charts that are alive: dragging shows a shorter time, which has a URL; the values under the pointer are told.
import type { Locator, Page } from '@playwright/test';
import { hydrated } from './support/checks';
import { signIn, signUp, somebody } from './support/people';
import { expect, test } from './support/test';

/** Presses at one place of the chart, moves, and lets go at another; places are shares of its width. */
async function drag(page: Page, chart: Locator, from: number, to: number): Promise<void> {
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (box === null) throw new Error('the chart is not on the page');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 5 });
  await page.mouse.up();
}

/** The hours between `from` and `to` of the page's URL. */
function hours(page: Page): number {
  const { searchParams } = new URL(page.url());
  const [from, to] = ['from', 'to'].map((name) => Date.parse(searchParams.get(name) ?? ''));
  return ((to ?? NaN) - (from ?? NaN)) / 3_600_000;
}

test('dragging on the chart of calls shows that time, and the way there is a URL', async ({ page, product }) => {
  const person = somebody('charts');
  await signUp(page, product.mailbox, person);
  await signIn(page, person);
  await page.goto('/usage?range=24h');
  await hydrated(page);
  await drag(page, page.locator('#usage .plot-live'), 0.3, 0.6);
  await page.waitForURL(/[?&]from=[^&]+&to=[^&]+/);
  expect(hours(page)).toBeGreaterThanOrEqual(6); // of 24, about a third
  expect(hours(page)).toBeLessThanOrEqual(10);
  expect(new URL(page.url()).searchParams.get('range')).toBeNull();
});

test('a chart of lines tells its values and zooms as well', async ({ page }) => {
  await page.goto('/dev/ui');
  await hydrated(page);
  const chart = page.locator('#latency .plot-live');
  await expect(chart).toHaveAttribute('tabindex', '0');
  await chart.focus();
  await chart.press('Home');
  await expect(chart.getByRole('status')).toContainText('Today, 00:00 to 01:00: p50');
  await expect(chart.locator('.chart-tip')).toContainText('p99');
  await drag(page, chart, 0.3, 0.7);
  await page.waitForURL(/\/dev\/ui\?from=[^&]+&to=[^&]+/);
  expect(hours(page)).toBeGreaterThanOrEqual(4); // of 12
  expect(hours(page)).toBeLessThanOrEqual(6);
});
