// Debian's Chromium (support/browser.ts) against the built product (support/product.ts). Results also go to target/test, for scripts/test.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './support/browser';

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
    launchOptions: launchOptions(),
  },
});
