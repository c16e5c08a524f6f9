// Fails a test on anything that a browser complains about: console errors, exceptions, blocked or failed resources.
import type { BrowserContext, Request } from '@playwright/test';

export class Complaints {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** Lets complaints pass that fit, for a test that causes them on purpose. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  get unexpected(): string[] {
    return this.seen.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
  }

  watch(context: BrowserContext): void {
    // Chromium also logs the status of a page that answers 4xx, which is the page's business, not a defect.
    const pages = new Set<string>();
    context.on('request', (request) => { if (isPage(request)) pages.add(request.url()); });
    context.on('console', (message) => {
      const { url } = message.location();
      if (message.text().startsWith('Failed to load resource') && pages.has(url)) return;
      // A violation of the content security policy comes as an error here too.
      if (message.type() === 'error') this.seen.push(`console: ${message.text()} (${url})`);
      // What WASM's loader says when an island has no code behind it.
      if (message.type() === 'warning' && message.text().includes('island')) this.seen.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => this.seen.push(`exception: ${error.error().stack || error.error().message || error.error().name} (${error.page()?.url()})`));
  }
}

function isPage(request: Request): boolean {
  return request.isNavigationRequest() && request.frame().parentFrame() === null;
}
