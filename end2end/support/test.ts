// `test` and `expect` for every spec: a running product per worker, a visitor with an address of its own, and a failure when
// the browser complains.
import { test as base, type Page } from '@playwright/test';
import { startProduct, type Product } from './product';
import type { Mailbox } from './smtp';
import { Complaints } from './watch';

interface PerTest {
  mailbox: Mailbox;
  complaints: Complaints;
  /** Opens a second browser, signed in to nothing, from the same address. */
  anotherVisitor: (options?: { javaScriptEnabled?: boolean }) => Promise<Page>;
}

let visitors = 0;

export const test = base.extend<PerTest, { product: Product }>({
  product: [
    async ({}, use, worker) => {
      const product = await startProduct(`product-${worker.workerIndex}`);
      await use(product);
      await product.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],

  baseURL: ({ product }, use) => use(product.url),
  mailbox: ({ product }, use) => use(product.mailbox),

  // Limits count by address: a test must not use up another's.
  extraHTTPHeaders: async ({}, use) => {
    visitors += 1;
    await use({ 'X-Forwarded-For': `198.18.${visitors >> 8}.${visitors & 255}` });
  },

  complaints: [
    async ({}, use) => {
      const complaints = new Complaints();
      await use(complaints);
      base.expect(complaints.unexpected, 'the browser complained').toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, complaints }, use) => {
    complaints.watch(context);
    await use(context);
  },

  anotherVisitor: async ({ browser, product, complaints, extraHTTPHeaders }, use) => {
    const pages: Page[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ baseURL: product.url, extraHTTPHeaders, ...options });
      complaints.watch(context);
      pages.push(await context.newPage());
      return pages[pages.length - 1];
    });
    await Promise.all(pages.map((page) => page.context().close()));
  },
});

export { expect } from '@playwright/test';
