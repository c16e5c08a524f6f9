// What the bench needs of the machine: processes pinned to a core, their time and memory, plain HTTP, wrk.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

export const SERVER_CORE = '0';
export const CLIENT_CORE = '1';
export const ALL_CORES = `0-${cpus().length - 1}`;
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

/** Starts a program on the servers' core, unless it is given others. Its output goes to `log` (a file descriptor). */
export function start(program, args, { env = {}, log, cwd, cores = SERVER_CORE }) {
  const child = spawn('taskset', ['-c', cores, program, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', log, log], cwd });
  child.ended = new Promise((done) => child.once('exit', done));
  return child;
}

export async function stop(child) {
  child.kill('SIGTERM');
  await child.ended;
}

/** Seconds of processor time that a process has used, all its threads together. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process in MiB. */
export const residentMiB = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

/** Memory of a process's descendants (the embedded Postgres) in MiB, what they share counted once. */
export function descendantsMiB(pid) {
  const table = spawnSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const family = new Set([pid]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const [child, parent] of table) if (family.has(parent)) family.add(child);
  }
  family.delete(pid);
  let kib = 0;
  for (const member of family) {
    try { kib += Number(readFileSync(`/proc/${member}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)[1]); } catch { /* ended meanwhile */ }
  }
  return kib / 1024;
}

/** The most resident memory that a process ever had, in MiB. */
export const peakMiB = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1]) / 1024;

/** The value below which `share` of the numbers lie (nearest rank). */
export const percentile = (numbers, share) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
};

/** One request, on a connection of its own unless an `agent` keeps some; answers `{ status, headers, body, bytes }`, headers as `[name, value]` pairs. */
export const call = (url, { method = 'GET', headers = {}, body, agent = false } = {}) => new Promise((done, failed) => {
  const sent = httpRequest(url, { method, headers, agent }, (answer) => {
    const chunks = [];
    answer.on('data', (chunk) => chunks.push(chunk)).on('error', failed).on('end', () => {
      const pairs = [];
      for (let i = 0; i < answer.rawHeaders.length; i += 2) pairs.push([answer.rawHeaders[i].toLowerCase(), answer.rawHeaders[i + 1]]);
      const whole = Buffer.concat(chunks);
      done({ status: answer.statusCode, headers: pairs, body: whole.toString('utf8'), bytes: whole.length });
    });
  });
  sent.on('error', failed);
  sent.end(body);
});

/** Calls `ask` again and again until `isOver()`, `pause` ms after each answer; the milliseconds that each took. */
export async function probe(ask, isOver, pause) {
  const took = [];
  while (!isOver()) {
    const from = performance.now();
    await ask();
    took.push(performance.now() - from);
    await sleep(pause);
  }
  return took;
}

/** Asks for `url`, or calls it, until the answer is 200; the milliseconds that took. */
export async function readyAfter(url, child, withinMs) {
  const ask = typeof url === 'function' ? url : () => call(url).catch(() => undefined);
  const from = performance.now();
  let running = true;
  child.ended.then(() => (running = false));
  while (performance.now() - from < withinMs) {
    if (!running) throw new Error('the server ended while starting');
    const answer = await ask();
    if (answer?.status === 200) return performance.now() - from;
    await sleep(2);
  }
  throw new Error(`the server was not ready within ${withinMs} ms`);
}

/** A request as it goes over the wire. */
export function wire(port, { method, path, headers = {}, body = '' }) {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, ...(body && { 'Content-Length': Buffer.byteLength(body) }) });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/**
 * Runs wrk on the clients' core against the server of process `pid`, sending `requests` in turn.
 * Fails if one answer was not 2xx: a bench of refusals says nothing.
 */
export async function wrk(port, pid, requests, { seconds, connections, folder, onTick = () => {} }) {
  const file = `${folder}/requests`;
  writeFileSync(file, requests.map((one) => wire(port, one)).join('\0'));
  const before = cpuSeconds(pid);
  const child = spawn('taskset', ['-c', CLIENT_CORE, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s',
    '-s', fileURLToPath(new URL('wrk.lua', import.meta.url)), `http://127.0.0.1:${port}`],
  { env: { ...process.env, BENCH_REQUESTS: file }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const ticker = setInterval(onTick, 250);
  await new Promise((done) => child.once('close', done));
  clearInterval(ticker);
  const figures = JSON.parse(output.trim().split('\n').at(-1));
  if (figures.refused || figures.broken || !figures.requests) throw new Error(`wrk: ${JSON.stringify(figures)}`);
  const cpu = cpuSeconds(pid) - before;
  const wall = figures.duration_us / 1e6;
  return {
    requests: figures.requests,
    per_second: figures.requests / wall,
    p50_us: figures.p50_us,
    p99_us: figures.p99_us,
    max_us: figures.max_us,
    server_us_per_request: (cpu * 1e6) / figures.requests,
    server_busy: cpu / wall,
  };
}
