// Real nginx and Caddy before an upstream that tells what reached it: for the configurations that the documentation shows.
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './product';

const READY_WITHIN_MS = 20_000;

export interface Server {
  /** Such as `http://127.0.0.1:40001`. */
  url: string;
  /** The same without the scheme. */
  address: string;
  stop(): Promise<void>;
}

/** What the upstream got, as it answers it in JSON; `OPTIONS` it answers 204, as the documentation asks of it. */
export interface Arrived {
  method: string;
  target: string;
  headers: IncomingHttpHeaders;
}

export async function startUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    const arrived: Arrived = { method: request.method ?? '', target: request.url ?? '', headers: request.headers };
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(arrived));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { ...at((server.address() as AddressInfo).port), stop };
}

/** nginx with this whole configuration, on a free port in place of the one that stands there. */
export async function startNginx(config: string): Promise<Server> {
  const port = await freePort();
  return start('nginx', port, config.replace('listen 127.0.0.1:4001;', `listen 127.0.0.1:${port};`), (folder, file) => ['-e', 'stderr', '-p', folder, '-c', file]);
}

/** Caddy with this whole Caddyfile, likewise. */
export async function startCaddy(config: string): Promise<Server> {
  const port = await freePort();
  return start('caddy', port, `${config.replace('{$CADDY_PORT:4002}', String(port))}\n`, (_, file) => ['run', '--config', file, '--adapter', 'caddyfile']);
}

async function start(program: string, port: number, config: string, args: (folder: string, file: string) => string[]): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), `${program}-`));
  await chmod(folder, 0o711); // as root, nginx gives its workers to another user
  const file = join(folder, 'config');
  await writeFile(file, config);
  const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`; // where Debian keeps nginx
  const child = spawn(program, args(folder, file), {
    env: { PATH, HOME: folder, XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'settings') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
  let running = true;
  const ended = new Promise<void>((done) => child.once('close', () => done()).once('error', (error) => { messages += String(error); done(); })).then(() => { running = false; });
  const stop = async () => {
    if (running) child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + READY_WITHIN_MS; running && Date.now() < deadline;) {
    if (await listens(port)) return { ...at(port), stop };
    await Promise.race([ended, sleep(50)]);
  }
  await stop();
  throw new Error(`${program} did not get ready:\n${messages}\n${config}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); done(true); }).on('error', () => done(false));
  });
}

function at(port: number): { url: string; address: string } {
  return { url: `http://127.0.0.1:${port}`, address: `127.0.0.1:${port}` };
}
