// The product as a deployment has it: the binary of target/dist, in a folder of its own, with its embedded Postgres.
import { execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { productFolder, runsIn } from './folders';
import { Mailbox } from './smtp';

const BINARY = inRepository('target/dist/tollgate');
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 20_000;

export interface Product {
  /** Such as `http://127.0.0.1:40001`. */
  url: string;
  /** Every mail that it sends. */
  mailbox: Mailbox;
  /** What it has logged so far. */
  log(): Promise<string>;
  /** Runs `tollgate …` beside the running server and returns what it printed; `input` goes to its standard input. */
  cli(args: string[], input?: string): Promise<string>;
  /** Starts `tollgate …` beside the running server, for one that waits or is to fail; `settings` are variables of its own. */
  program(args: string[], settings?: Record<string, string>): Program;
  stop(): Promise<void>;
}

/** A command that runs for at most a minute. */
export interface Program {
  /** What of its standard error fits, as soon as it is there; fails if the program ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  ended: Promise<Ended>;
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Starts the server on a free port and returns when it is ready. `name` tells its log file from others'; a setting that is `undefined` is
 * left out; `host` is a name of this machine; `flags` are of `serve`. */
export async function startProduct(name: string, settings: Record<string, string | undefined> = {}, host = '127.0.0.1', flags: string[] = []): Promise<Product> {
  await access(BINARY).catch(() => { throw new Error(`There is no ${BINARY}: run scripts/build.`); });
  const folder = await productFolder();
  await chmod(folder, 0o755); // as root the database runs as another user, who must get to its files
  const mailbox = await Mailbox.open();
  const port = await freePort();
  const url = `http://${host}:${port}`;
  const env = {
    PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8',
    TOLLGATE_ENV: 'development',
    TOLLGATE_ADDR: `127.0.0.1:${port}`,
    TOLLGATE_PUBLIC_URL: url,
    TOLLGATE_DATA_DIR: join(folder, 'data'),
    TOLLGATE_SMTP_URL: mailbox.url,
    TOLLGATE_TRUSTED_PROXIES: '127.0.0.1/32', // so that each test can come from an address of its own
    TOLLGATE_ACCOUNT_RATE: '0', // tests are faster than people
    TOLLGATE_ADDRESS_RATE: '0',
    ...settings,
  };

  const logFile = inRepository(`end2end/test-results/${name}.log`);
  await mkdir(dirname(logFile), { recursive: true });
  const child = spawn(BINARY, ['serve', ...flags], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const sink = createWriteStream(logFile);
  child.stdout.pipe(sink, { end: false });
  child.stderr.pipe(sink, { end: false });
  let running = true;
  const ended = new Promise<void>((done) => child.once('close', () => done()).once('error', () => done())).then(() => { running = false; });
  if (child.pid !== undefined) await runsIn(folder, child.pid);

  const log = () => readFile(logFile, 'utf8').catch(() => '');
  const stop = async () => {
    if (running) child.kill('SIGTERM');
    const inTime = await Promise.race([ended.then(() => true), sleep(STOPPED_WITHIN_MS, false)]);
    if (!inTime) child.kill('SIGKILL');
    await ended;
    sink.end();
    await mailbox.close();
    await rm(folder, { recursive: true, force: true });
    if (!inTime) throw new Error(`The server did not stop within ${STOPPED_WITHIN_MS / 1000} s of SIGTERM. Its log: ${logFile}`);
  };
  const cli = (args: string[], input?: string) => new Promise<string>((done, fail) => {
    const command = execFile(BINARY, args, { cwd: folder, env, timeout: 60_000 }, (error, stdout, stderr) =>
      error === null ? done(stdout) : fail(new Error(`tollgate ${args.join(' ')}: ${error.message}\n${stderr}`)));
    command.stdin?.end(input ?? '');
  });
  const program = (args: string[], settings: Record<string, string> = {}) => start(args, folder, { ...env, ...settings });

  const deadline = Date.now() + READY_WITHIN_MS;
  while (running && Date.now() < deadline) {
    const ready = await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false);
    if (ready) return { url, mailbox, log, cli, program, stop };
    await Promise.race([ended, sleep(100)]);
  }
  const reason = running ? `was not ready within ${READY_WITHIN_MS / 1000} s` : 'ended at its start';
  await stop().catch(() => undefined);
  throw new Error(`The server ${reason}. Its log:\n${(await log()).split('\n').slice(-40).join('\n')}`);
}

function start(args: string[], cwd: string, env: NodeJS.ProcessEnv): Program {
  const child = spawn(BINARY, args, { cwd, env, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '', err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((done, fail) => child.once('close', (code) => done({ code, out, err })).once('error', fail));
  const says = async (pattern: RegExp) => {
    for (let running = true; ;) {
      const found = err.match(pattern);
      if (found !== null) return found;
      if (!running) throw new Error(`tollgate ${args.join(' ')} ended without saying ${pattern}:\n${err}`);
      running = await Promise.race([ended.then(() => false), sleep(50, true)]);
    }
  };
  return { says, ended };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
