// The orders API behind nginx and Caddy (examples/orders), for journeys that call a protected API.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const START = fileURLToPath(new URL('../../examples/orders/start', import.meta.url));
const READY_WITHIN_MS = 20_000;

export interface Orders {
  /** The API behind nginx, such as `http://127.0.0.1:40001`. */
  nginx: string;
  /** The API behind Caddy. */
  caddy: string;
  /** The API itself, which answers nobody but its proxies. */
  api: string;
  /** Stops all three and waits until they are gone. */
  stop(): Promise<void>;
}

/** Starts the example on free ports, asking the Tollgate at `tollgateUrl`, and returns when it answers. */
export async function startOrders(tollgateUrl: string): Promise<Orders> {
  const folder = await mkdtemp(join(tmpdir(), 'orders-'));
  const child = spawn(START, {
    env: { ...process.env, TOLLGATE_URL: tollgateUrl, ORDERS_PORT: '0', NGINX_PORT: '0', CADDY_PORT: '0', ORDERS_RUN_DIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
  const ended = new Promise<void>((done) => child.once('close', () => done()).once('error', (error) => { messages += String(error); done(); }));
  let running = true;
  void ended.then(() => (running = false));

  const stop = async () => {
    if (running) child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };

  const deadline = Date.now() + READY_WITHIN_MS;
  while (running && Date.now() < deadline) {
    const ready = await readFile(join(folder, 'ready.json'), 'utf8').catch(() => undefined);
    if (ready !== undefined) {
      const { nginx, caddy, api } = JSON.parse(ready) as Omit<Orders, 'stop'>;
      return { nginx, caddy, api, stop };
    }
    await Promise.race([ended, sleep(50)]);
  }
  await stop();
  throw new Error(`examples/orders/start did not get ready:\n${messages}`);
}
