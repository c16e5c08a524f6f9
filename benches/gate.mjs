// The case `gate`: Tollgate against a bare axum server that gives the same answers, alternately, in one run; medians as ratios.
//
// Both servers have core 0 (with Tollgate, its Postgres too), wrk has core 1. Limits and metering are on, 10,000 keys are loaded.
// At the end the calls that wrk made are compared with those that the database has counted.
import { cpus, loadavg } from 'node:os';
import { compare, table } from './compare.mjs';
import { call, descendantsMiB, median, residentMiB, sleep, wrk } from './machine.mjs';

const STARTS = 3;
const AIM = 0.7;

/** Measures; `bench` is what benches/run.mjs gives to every case. */
export async function measure(bench) {
  const { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS } = bench.settings;
  const loadBefore = loadavg()[0];
  const tollgate = await bench.product('gate');
  const firstStart = await tollgate.start();
  tollgate.fill();
  const inTurn = Math.min(1000, KEYS);
  const crowd = tollgate.crowd(KEYS, inTurn);
  const starts = [];
  for (let i = 0; i < STARTS; i++) {
    await tollgate.stop();
    starts.push(await tollgate.start());
  }
  await sleep(3000);
  const memory = { idle_mib: residentMiB(tollgate.pid), idle_postgres_mib: descendantsMiB(tollgate.pid), load_mib: 0 };

  const cases = await benchCases(tollgate, crowd);
  const bare = await startBare(bench, cases);

  const rounds = cases.map(() => ({ tollgate: [], bare: [] }));
  const atMost = { seconds: SECONDS, connections: CONNECTIONS, folder: bench.folder };
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
        const figures = await wrk(bare.port, bare.pid, one.requests.map((request) => ({ ...request, path: one.barePath })), {
          ...atMost, seconds: round < 0 ? 1 : SECONDS,
        });
        if (round >= 0) rounds[i].bare.push(figures);
      };
      // Who begins changes from round to round, so that a machine that slows down favours neither.
      for (const measure of round % 2 ? [measureBare, measureTollgate] : [measureTollgate, measureBare]) await measure();
    }
    if (round >= 0) bench.say(`round ${round + 1} of ${ROUNDS} done`);
  }

  return {
    machine: { cpu: cpus()[0].model, cores: cpus().length, load_before: loadBefore },
    settings: { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS },
    cases: cases.map(({ name }, i) => ({ name, ...compare(rounds[i]), rounds: rounds[i] })),
    metering: await metering(tollgate, expected, runs * CONNECTIONS),
    ready_ms: { first_start: firstStart, with_keys: median(starts), starts },
    memory,
  };
}

/** What is measured. `counted`: each call is a verification that usage must show. */
async function benchCases(tollgate, crowd) {
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
    { name: `verify, ${crowd.length} keys in turn`, requests: crowd.map(verify), counted: true },
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

/** The bare server with the answers that were recorded; fails unless it gives them. */
async function startBare(bench, cases) {
  const bare = await bench.bare('gate', cases.map(({ barePath, requests, answer }) => ({ method: requests[0].method, path: barePath, answer })));
  for (const { name, barePath, requests, answer } of cases) {
    const same = await call(bare.url + barePath, requests[0]);
    if (same.status !== 200 || same.body !== answer.body) throw new Error(`${name}: the bare server answers otherwise`);
  }
  return bare;
}

/** Waits until the meter has written; wrk gives up on what is under way at its end, so a little more than it saw may be counted. */
async function metering(tollgate, expected, slack) {
  let counted = 0;
  for (let tries = 0; tries < 60; tries++) {
    const now = tollgate.metered();
    if (now >= expected && now === counted) break;
    counted = now;
    await sleep(1000);
  }
  return { calls: expected, counted, exact: counted >= expected && counted <= expected + slack };
}

export function report({ cases, metering: { calls, counted, exact }, ready_ms: ready, memory, machine, settings }, say) {
  table(cases, say);
  say(`metering      ${counted} counted of ${calls} calls: ${exact ? 'nothing lost, nothing counted twice' : 'WRONG'}`);
  say(`start         ${Math.round(ready.with_keys)} ms to ready with ${settings.keys} keys (the very first start, which makes the database: ${Math.round(ready.first_start)} ms)`);
  say(`memory        ${memory.idle_mib.toFixed(0)} MiB idle, ${memory.load_mib.toFixed(0)} MiB under load; its Postgres ${memory.idle_postgres_mib.toFixed(0)} MiB`);
  say(`aim           verify at ${AIM} of bare: ${cases[0].ratio.throughput >= AIM ? 'met' : 'missed'}`);
  const idle = cases.filter(({ bare: b }) => b.server_busy < 0.9).map(({ name }) => name);
  if (idle.length) say(`note          the bare server had less than 90 % of its core (${idle.join('; ')}): wrk or other programs were the limit; compare the server time`);
  if (machine.load_before > 0.5) say(`note          the machine was busy before the run (load ${machine.load_before.toFixed(1)}): do not trust the absolute figures`);
}
