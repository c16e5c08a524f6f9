// Debian's Chromium against the built product (support/product.ts). Results also go to target/test, for scripts/test.
import { defineConfig } from '@playwright/test';
import { accessSync, constants } from 'node:fs';

const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(isExecutable);
if (CHROMIUM === undefined) throw new Error('No Chromium found: run scripts/setup, or set CHROMIUM to its path.');

export default defineConfig({
  testMatch: '**/*.spec.ts',
  workers: 2, // each has a product and a database of its own
  retries: 0, // a test that passes at the second try hides a defect
  forbidOnly: process.env.CI === 'true',
  timeout: 60_000,
  expect: { timeout: 10_000 },
  outputDir: 'test-results',
  reporter: [['list'], ['json', { outputFile: '../target/test/browser-tests.json' }]],
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: { mode: 'retain-on-failure', screenshots: false }, // what the page was at each step; a film of it costs every test time
    screenshot: 'only-on-failure',
    contextOptions: { reducedMotion: 'reduce' }, // a step waits for what moves; keys.spec.ts sees it move
    launchOptions: {
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox', // CI runs as root
        '--disable-gpu',
        // Nothing but the product is reachable: without these it tries its maker's hosts all the time.
        '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic', '--no-first-run',
      ],
    },
  },
});

function isExecutable(path: string | undefined): path is string {
  try {
    if (path !== undefined) accessSync(path, constants.X_OK);
    return path !== undefined;
  } catch {
    return false;
  }
}
