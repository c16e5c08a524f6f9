// Which browser runs: Debian's Chromium. Its headless shell where it is installed: the same engine without windows, which nobody sees and which
// take as much of a processor as the pages in them.
import type { LaunchOptions } from '@playwright/test';
import { accessSync, constants } from 'node:fs';

const WHOLE = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SHELL = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell'];

/** `whole`: what the shell has not, such as suggestions of passkeys. */
export function launchOptions(whole = false): LaunchOptions {
  const executablePath = [...(whole ? [] : SHELL), ...WHOLE].find(isExecutable);
  if (executablePath === undefined) throw new Error('No Chromium found: run scripts/setup, or set CHROMIUM to its path.');
  return {
    executablePath,
    args: [
      '--no-sandbox', // CI runs as root
      '--disable-gpu',
      // Nothing but the product is reachable: without these it tries its maker's hosts all the time.
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic', '--no-first-run',
    ],
  };
}

function isExecutable(path: string | undefined): path is string {
  try {
    if (path !== undefined) accessSync(path, constants.X_OK);
    return path !== undefined;
  } catch {
    return false;
  }
}
