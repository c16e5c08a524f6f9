// `make bench`: Tollgate against a bare axum server that gives the same answers, alternately, in one run; medians as ratios.
//
// Both servers have core 0 (with Tollgate, its Postgres too), wrk has core 1. Limits and metering are on, 10,000 keys are loaded.
// At the end the calls that wrk made are compared with those that the database has counted.
import { mkdirSync, mkdtempSync, openSync, writeFileSync, chmodSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, descendantsMiB, freePort, median, readyAfter, residentMiB, sleep, start, stop, wrk } from './machine.mjs';
import { Tollgate } from './tollgate.mjs';

const [, , tollgateBinary, bareBinary, outputFile] = process.argv;
const setting = (name, preset) => Number(process.env[name] ?? preset);
const ROUNDS = setting('BENCH_ROUNDS', 5);
const SECONDS = setting('BENCH_SECONDS', 5);
const CONNECTIONS = setting('BENCH_CONNECTIONS', 32);
const KEYS = setting('BENCH_KEYS', 10_000);
const KEYS_IN_TURN = Math.min(1000, KEYS);
const STARTS = 3;
const AIM = 0.7;

const say = (text) => console.log(text);

const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
chmodSync(folder, 0o755); // as root, the embedded Postgres runs as another user
const tollgate = new Tollgate(tollgateBinary, folder, await freePort());
const bare = { port: await freePort() };
try {
  const result = await bench();
  mkdirSync(join(outputFile, '..'), { recursive: true });
  writeFileSync(outputFile, `${JSON.stringify(result, null, 2)}\n`);
  report(result);
} finally {
  await tollgate.stop();
  if (bare.child) await stop(bare.child);
  tollgate.remove();
}

async function bench() {
  const loadBefore = loadavg()[0];
  say(`Tollgate ${tollgateBinary}, ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections`);
  const firstStart = await tollgate.start();
  tollgate.fill();
  const crowd = tollgate.crowd(KEYS, KEYS_IN_TURN);
  const starts = [];
  for (let i = 0; i < STARTS; i++) {
    await tollgate.stop();
    starts.push(await tollgate.start());
  }
  await sleep(3000);
  const memory = { idle_mib: residentMiB(tollgate.pid), idle_postgres_mib: descendantsMiB(tollgate.pid), load_mib: 0 };

  const cases = await benchCases(crowd);
  await startBare(cases);

  const rounds = cases.map(() => ({ tollgate: [], bare: [] }));
  const atMost = { seconds: SECONDS, connections: CONNECTIONS, folder };
  let expected = cases.filter(({ counted }) => counted).length; // the one call each that the answers were recorded from
  let runs = 0;
  for (let round = -1; round < ROUNDS; round++) { // round -1 warms up
    for (const [i, one] of cases.entries()) {
      const measureTollgate = async () => {
        const figures = await wrk(tollgate.port, tollgate.pid, one.requests, {
          ...atMost, seconds: round < 0 ? 1 : SECONDS,
          onTick: () => (memory.load_mib = Math.max(memory.load_mib, residentMiB(tollgate.pid))),
        });
        if (one.counted) { expected += figures.requests; runs += 1; }
        if (round >= 0) rounds[i].tollgate.push(figures);
      };
      const measureBare = async () => {
        const figures = await wrk(bare.port, bare.child.pid, one.requests.map((request) => ({ ...request, path: one.barePath })), {
          ...atMost, seconds: round < 0 ? 1 : SECONDS,
        });
        if (round >= 0) rounds[i].bare.push(figures);
      };
      // Who begins changes from round to round, so that a machine that slows down favours neither.
      for (const measure of round % 2 ? [measureBare, measureTollgate] : [measureTollgate, measureBare]) await measure();
    }
    if (round >= 0) say(`round ${round + 1} of ${ROUNDS} done`);
  }

  return {
    machine: { cpu: cpus()[0].model, cores: cpus().length, load_before: loadBefore },
    settings: { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS },
    cases: cases.map(({ name }, i) => ({ name, ...compare(rounds[i]), rounds: rounds[i] })),
    metering: await metering(expected, runs * CONNECTIONS),
    ready_ms: { first_start: firstStart, with_keys: median(starts), starts },
    memory,
  };
}

/** What is measured. `counted`: each call is a verification that usage must show. */
async function benchCases(crowd) {
  const json = { Authorization: `Bearer ${tollgate.verifier.secret}`, 'Content-Type': 'application/json' };
  const verify = (key) => ({
    method: 'POST', path: '/api/v1/keys/verify', headers: json,
    body: JSON.stringify({ key, api: 'demo', permission: 'orders:read', route: 'GET /orders' }),
  });
  const forward = {
    method: 'GET', path: '/forward-auth/demo',
    headers: { Authorization: `Bearer ${tollgate.key.secret}`, 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/orders?limit=1' },
  };
  const cookie = await tollgate.signIn();
  const cases = [
    { name: 'verify, one key', requests: [verify(tollgate.key.secret)], counted: true },
    { name: `verify, ${KEYS_IN_TURN} keys in turn`, requests: crowd.map(verify), counted: true },
    { name: 'forward-auth', requests: [forward], counted: true },
    { name: 'page /keys, 20 keys', requests: [{ method: 'GET', path: '/keys', headers: { Cookie: cookie, Accept: 'text/html' } }] },
  ];
  for (const [i, one] of cases.entries()) {
    const [{ path, ...request }] = one.requests;
    one.answer = await call(tollgate.url + path, request);
    one.barePath = `/${i}${path}`;
    if (one.answer.status !== 200) throw new Error(`${one.name}: ${one.answer.status} ${one.answer.body.slice(0, 1000)}`);
    if (path.endsWith('/verify') && JSON.parse(one.answer.body).valid !== true) throw new Error(`${one.name}: ${one.answer.body}`);
  }
  return cases;
}

async function startBare(cases) {
  const own = new Set(['date', 'content-length', 'connection', 'transfer-encoding']);
  const answers = cases.map(({ barePath, requests, answer }) => ({
    method: requests[0].method, path: barePath, headers: answer.headers.filter(([name]) => !own.has(name)), body: answer.body,
  }));
  const ready = { method: 'GET', path: '/ready', headers: [], body: '' };
  writeFileSync(join(folder, 'answers.json'), JSON.stringify([...answers, ready]));
  bare.child = start(bareBinary, [`127.0.0.1:${bare.port}`, join(folder, 'answers.json')], { log: openSync(join(folder, 'bare.log'), 'a') });
  await readyAfter(`http://127.0.0.1:${bare.port}/ready`, bare.child, 5000);
  for (const { name, barePath, requests, answer } of cases) {
    const same = await call(`http://127.0.0.1:${bare.port}${barePath}`, requests[0]);
    if (same.status !== 200 || same.body !== answer.body) throw new Error(`${name}: the bare server answers otherwise`);
  }
}

function compare({ tollgate: ours, bare: theirs }) {
  const medians = (runs) => Object.fromEntries(['per_second', 'p50_us', 'p99_us', 'server_us_per_request', 'server_busy']
    .map((field) => [field, median(runs.map((run) => run[field]))]));
  const [a, b] = [medians(ours), medians(theirs)];
  return {
    tollgate: a, bare: b,
    ratio: { throughput: a.per_second / b.per_second, p50: a.p50_us / b.p50_us, p99: a.p99_us / b.p99_us, server_time: a.server_us_per_request / b.server_us_per_request },
  };
}

/** Waits until the meter has written; wrk gives up on what is under way at its end, so a little more than it saw may be counted. */
async function metering(expected, slack) {
  let counted = 0;
  for (let tries = 0; tries < 60; tries++) {
    const now = tollgate.metered();
    if (now >= expected && now === counted) break;
    counted = now;
    await sleep(1000);
  }
  return { calls: expected, counted, exact: counted >= expected && counted <= expected + slack };
}

function report({ cases, metering: { calls, counted, exact }, ready_ms: ready, memory, machine }) {
  const columns = [26, 12, 12, 8, 15, 15, 17];
  const row = (cells) => say(cells.map((cell, i) => (i ? String(cell).padStart(columns[i]) : String(cell).padEnd(columns[i]))).join(''));
  const pair = (a, b) => `${a}/${b}`;
  const ms = (us) => (us / 1000).toFixed(2);
  say('');
  row(['', 'Tollgate/s', 'bare/s', 'ratio', 'p50 ms', 'p99 ms', 'server µs/call']);
  for (const { name, tollgate: a, bare: b, ratio } of cases) {
    row([name, Math.round(a.per_second), Math.round(b.per_second), ratio.throughput.toFixed(2), pair(ms(a.p50_us), ms(b.p50_us)), pair(ms(a.p99_us), ms(b.p99_us)),
      pair(a.server_us_per_request.toFixed(1), b.server_us_per_request.toFixed(1))]);
  }
  say('');
  say(`metering      ${counted} counted of ${calls} calls: ${exact ? 'nothing lost, nothing counted twice' : 'WRONG'}`);
  say(`start         ${Math.round(ready.with_keys)} ms to ready with ${KEYS} keys (the very first start, which makes the database: ${Math.round(ready.first_start)} ms)`);
  say(`memory        ${memory.idle_mib.toFixed(0)} MiB idle, ${memory.load_mib.toFixed(0)} MiB under load; its Postgres ${memory.idle_postgres_mib.toFixed(0)} MiB`);
  say(`aim           verify at ${AIM} of bare: ${cases[0].ratio.throughput >= AIM ? 'met' : 'missed'}`);
  const idle = cases.filter(({ bare: b }) => b.server_busy < 0.9).map(({ name }) => name);
  if (idle.length) say(`note          the bare server had less than 90 % of its core (${idle.join('; ')}): wrk or other programs were the limit; compare the server time`);
  if (machine.load_before > 0.5) say(`note          the machine was busy before the run (load ${machine.load_before.toFixed(1)}): do not trust the absolute figures`);
  say(`written to    ${outputFile}`);
}
