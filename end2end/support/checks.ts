// What every page must pass.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

export const NARROW = { width: 360, height: 740 };

/** The islands of the page are live. */
export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator('html[data-hydrated]')).toBeAttached();
}

/** Opens a menu and waits until it stands. Who clicks what still moves, scrolls by Playwright's second try, and a menu goes where its button goes:
 * out of sight. */
export async function openMenu(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  const menu = page.getByRole('group', { name, exact: true });
  await expect(menu).toBeVisible();
  await expect.poll(() => menu.evaluate((el) => el.getAnimations().length), { intervals: [20] }).toBe(0);
}

/** axe finds nothing, but perhaps in a part that is not ours. */
export async function accessible(page: Page, except?: string): Promise<void> {
  // Where no script may run (the preview of a mail), axe can't either. Its other way of asking opens a blank page for each look, for frames
  // of other origins, which the content security policy forbids; and of what is right nobody reads a list.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] }).exclude('iframe[sandbox=""]');
  const { violations } = await (except === undefined ? axe : axe.exclude(except)).analyze();
  const findings = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.target.join(' ')}  ${node.failureSummary ?? ''}`).join('\n')}`);
  expect(findings, `axe on ${page.url()}`).toEqual([]);
}

/** The same in both themes. A page follows the system's while it is open: it need not be loaded again. */
export async function accessibleInBothThemes(page: Page, except?: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' }); // no colour is on its way to another
    await accessible(page, except);
  }
}

/** Every page, light and dark: axe finds nothing; nothing scrolls sideways or is lost in a narrow window. `look` may look at more of each. */
export async function eachPage(page: Page, paths: string[], look?: (path: string) => Promise<void>): Promise<void> {
  test.setTimeout(test.info().timeout + paths.length * 15_000); // axe reads every element of every page, twice
  for (const path of paths) {
    await page.goto(path);
    await hydrated(page); // leaving a page while its WASM loads makes the browser complain
    await expect(page.getByRole('heading', { level: 1 }), `${path} has a title`).toHaveCount(1);
    await look?.(path);
    await allOver(page);
  }
}

/** A state of a page in the middle of a journey, looked at like a page of its own; `title` says that it is there. It takes its time: once for
 * each state. */
export async function lookAt(page: Page, title: string): Promise<void> {
  test.setTimeout(test.info().timeout + 15_000);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
  await hydrated(page);
  await allOver(page);
}

/** What a journey looks with: that is gone again without scripts, where axe can't look. */
export type Look = typeof lookAt;
export const lookAway: Look = async () => {};

async function allOver(page: Page): Promise<void> {
  await accessibleInBothThemes(page);
  await inANarrowWindow(page, async () => {
    await nothingSticksOut(page);
    await nothingLost(page);
  });
}

/** Both, in the middle of a journey; axe is a script itself: where none runs it can't look. */
export async function accessibleAndNarrow(page: Page, scripts: boolean): Promise<void> {
  if (scripts) await accessible(page);
  await noHorizontalScroll(page);
}

async function inANarrowWindow(page: Page, look: () => Promise<void>): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize(NARROW);
  await look();
  if (before !== null) await page.setViewportSize(before);
}

/** What columns say that leave in a narrow window stands in a cell that stays; a drawing leaves, its sums stand there in words. */
async function nothingLost(page: Page): Promise<void> {
  const lost = await page.evaluate(() => {
    const isSeen = (element: Element): boolean => element.checkVisibility();
    const gone = [...document.querySelectorAll('.table tbody td[class*="col-"]')].filter((cell) => !isSeen(cell) && isSeen(cell.closest('table') ?? cell));
    return gone.flatMap((cell) => {
      const shown = [...(cell.closest('tr')?.querySelectorAll('.fold') ?? [])].filter(isSeen);
      const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      const lost: string[] = [];
      while (texts.nextNode() !== null) {
        const text = texts.currentNode.textContent?.trim() ?? '';
        if (text !== '' && !shown.some((fold) => (fold.textContent ?? '').includes(text))) lost.push(text);
      }
      return lost;
    });
  });
  expect(lost, `not to be seen in a narrow window on ${page.url()}`).toEqual([]);
}

/** Nothing sticks out of a narrow window, but for what scrolls in a frame of its own. */
export async function noHorizontalScroll(page: Page): Promise<void> {
  await inANarrowWindow(page, () => nothingSticksOut(page));
}

async function nothingSticksOut(page: Page): Promise<void> {
  const tooWide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > clientWidth + 1);
    return [`${scrollWidth} px in ${clientWidth} px`, ...wide.slice(0, 8).map((element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}">`)];
  });
  expect(tooWide, `horizontal scroll on ${page.url()}`).toEqual([]);
}
