// What every page must pass.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

export const NARROW = { width: 360, height: 740 };

/** The islands of the page are live. */
export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator('html[data-hydrated]')).toBeAttached();
}

/** axe finds nothing. */
export async function accessible(page: Page): Promise<void> {
  // Where no script may run (the preview of a mail), axe can't either.
  const { violations } = await new AxeBuilder({ page }).exclude('iframe[sandbox=""]').analyze();
  const findings = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.target.join(' ')}  ${node.failureSummary ?? ''}`).join('\n')}`);
  expect(findings, `axe on ${page.url()}`).toEqual([]);
}

/** Both, in the middle of a journey; axe is a script itself: where none runs it can't look. */
export async function accessibleAndNarrow(page: Page, scripts: boolean): Promise<void> {
  if (scripts) await accessible(page);
  await noHorizontalScroll(page);
}

/** Nothing sticks out of a narrow window, but for what scrolls in a frame of its own. */
export async function noHorizontalScroll(page: Page): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize(NARROW);
  const tooWide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > clientWidth + 1);
    return [`${scrollWidth} px in ${clientWidth} px`, ...wide.slice(0, 8).map((element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}">`)];
  });
  expect(tooWide, `horizontal scroll on ${page.url()}`).toEqual([]);
  if (before !== null) await page.setViewportSize(before);
}
