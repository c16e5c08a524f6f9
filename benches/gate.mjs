// The case `gate`: Tollgate against a bare axum server that gives the same answers, alternately, in one run; medians as ratios.
//
// Both servers have core 0 (with Tollgate, its Postgres too), wrk has core 1. Limits and metering are on. One key is verified before the
// other 100,000 are there and again after, then many of them in turn, each with a limit of its own as all keys have here. A case pays for
// writing what it counted and for nothing else: the next one begins once all is written, and that of many keys lasts until it met a batch.
// At the end the calls that wrk made are compared with those that the database has counted.
import { cpus, loadavg } from 'node:os';
import { compare, table } from './compare.mjs';
import { call, descendantsMiB, median, residentMiB, sleep, wrk } from './machine.mjs';

const STARTS = 3;
/** How many keys wrk walks through. It reads them all before it begins, and a round asks each a few times. */
const IN_TURN = 20_000;
/** The longest rest between two batches (`usage/server/rhythm.rs`), and a little. */
const TO_MEET_A_BATCH = 12;
/** Of verifying beside the bare server: throughput, p99, and how much slower it may be with all keys than with few. */
const AIM = { throughput: 0.85, p99: 1.5, slower: 0.05 };

/** Measures; `bench` is what benches/run.mjs gives to every case. */
export async function measure(bench) {
  const { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS } = bench.settings;
  const loadBefore = loadavg()[0];
  const tollgate = await bench.product('gate');
  const firstStart = await tollgate.start();
  tollgate.fill();
  const atMost = { seconds: SECONDS, connections: CONNECTIONS, folder: bench.folder };
  const memory = { idle_mib: 0, idle_postgres_mib: 0, load_mib: 0 };
  let expected = 0;
  let runs = 0;
  /** Alternates between both servers; a round that warms up, then those that count. */
  const alternate = async (cases) => {
    const bare = await startBare(bench, cases);
    const rounds = cases.map(() => ({ tollgate: [], bare: [] }));
    expected += cases.filter(({ counted }) => counted).length; // the one call each that the answers were recorded from
    for (let round = -1; round < ROUNDS; round++) {
      for (const [i, one] of cases.entries()) {
        const seconds = round < 0 ? 1 : Math.max(SECONDS, one.seconds ?? 0);
        const measureTollgate = async () => {
          const onTick = () => (memory.load_mib = Math.max(memory.load_mib, residentMiB(tollgate.pid)));
          const figures = await wrk(tollgate.port, tollgate.pid, one.requests, { ...atMost, seconds, onTick });
          if (one.counted) {
            expected += figures.requests;
            runs += 1;
            await written(tollgate, expected);
          }
          if (round >= 0) rounds[i].tollgate.push(figures);
        };
        const measureBare = async () => {
          const figures = await wrk(bare.port, bare.pid, one.requests.map((request) => ({ ...request, path: one.barePath })), { ...atMost, seconds });
          if (round >= 0) rounds[i].bare.push(figures);
        };
        // Who begins changes from round to round, so that a machine that slows down favours neither.
        for (const measure of round % 2 ? [measureBare, measureTollgate] : [measureTollgate, measureBare]) await measure();
      }
      if (round >= 0) bench.say(`${cases.map(({ name }) => name).join(', ')}: round ${round + 1} of ${ROUNDS} done`);
    }
    return cases.map(({ name }, i) => ({ name, ...compare(rounds[i]), rounds: rounds[i] }));
  };

  const few = await alternate([await recorded(tollgate, 0, verifyOne(tollgate, 'verify, one key of 20'))]);
  const crowd = spread(tollgate.crowd(KEYS, KEYS), IN_TURN);
  const starts = [];
  for (let i = 0; i < STARTS; i++) {
    await tollgate.stop();
    starts.push(await tollgate.start());
  }
  await sleep(3000);
  Object.assign(memory, { idle_mib: residentMiB(tollgate.pid), idle_postgres_mib: descendantsMiB(tollgate.pid) });
  const many = await alternate(await benchCases(tollgate, crowd, KEYS));

  return {
    machine: { cpu: cpus()[0].model, cores: cpus().length, load_before: loadBefore },
    settings: { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS },
    cases: [...few, ...many],
    metering: await metering(tollgate, expected, runs * CONNECTIONS),
    ready_ms: { first_start: firstStart, with_keys: median(starts), starts },
    memory,
  };
}

/** At most `count` of these, evenly from all of them. */
const spread = (all, count) => {
  const step = Math.max(1, all.length / count);
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor(i * step)]);
};

const verifying = (tollgate, key) => ({
  method: 'POST', path: '/api/v1/keys/verify', headers: { Authorization: `Bearer ${tollgate.verifier.secret}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({ key, api: 'demo', permission: 'orders:read', route: 'GET /orders' }),
});
const verifyOne = (tollgate, name) => ({ name, requests: [verifying(tollgate, tollgate.key.secret)], counted: true });

/** What is measured. `counted`: each call is a verification that usage must show. */
async function benchCases(tollgate, crowd, keys) {
  const forward = {
    method: 'GET', path: '/forward-auth/demo',
    headers: { Authorization: `Bearer ${tollgate.key.secret}`, 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/orders?limit=1' },
  };
  const cookie = await tollgate.signIn();
  const cases = [
    verifyOne(tollgate, `verify, one key of ${keys}`),
    { name: `verify, ${crowd.length} of ${keys} keys in turn`, requests: crowd.map((key) => verifying(tollgate, key)), counted: true, seconds: TO_MEET_A_BATCH },
    { name: 'forward-auth', requests: [forward], counted: true },
    { name: 'page /keys, 20 keys', requests: [{ method: 'GET', path: '/keys', headers: { Cookie: cookie, Accept: 'text/html' } }] },
  ];
  const answered = [];
  for (const [i, one] of cases.entries()) answered.push(await recorded(tollgate, i, one));
  return answered;
}

/** With Tollgate's answer, which the bare server is to give. */
async function recorded(tollgate, place, one) {
  const [{ path, ...request }] = one.requests;
  const answer = await call(tollgate.url + path, request);
  if (answer.status !== 200) throw new Error(`${one.name}: ${answer.status} ${answer.body.slice(0, 1000)}`);
  if (path.endsWith('/verify') && JSON.parse(answer.body).valid !== true) throw new Error(`${one.name}: ${answer.body}`);
  return { ...one, answer, barePath: `/${place}${path}` };
}

/** The bare server with the answers that were recorded; fails unless it gives them. */
async function startBare(bench, cases) {
  const bare = await bench.bare(`gate-${cases.length}`, cases.map(({ barePath, requests, answer }) => ({ method: requests[0].method, path: barePath, answer })));
  for (const { name, barePath, requests, answer } of cases) {
    const same = await call(bare.url + barePath, requests[0]);
    if (same.status !== 200 || same.body !== answer.body) throw new Error(`${name}: the bare server answers otherwise`);
  }
  return bare;
}

/** Waits until what was counted is in the database, and answers how much that is. */
async function written(tollgate, expected) {
  let counted = 0;
  for (let tries = 0; tries < 60; tries++) {
    const now = tollgate.metered();
    if (now >= expected && now === counted) break;
    counted = now;
    await sleep(1000);
  }
  return counted;
}

/** wrk gives up on what is under way at its end, so a little more than it saw may be counted. */
async function metering(tollgate, expected, slack) {
  const counted = await written(tollgate, expected);
  return { calls: expected, counted, exact: counted >= expected && counted <= expected + slack };
}

export function report({ cases, metering: { calls, counted, exact }, ready_ms: ready, memory, machine, settings }, say) {
  table(cases, say);
  say(`metering      ${counted} counted of ${calls} calls: ${exact ? 'nothing lost, nothing counted twice' : 'WRONG'}`);
  say(`start         ${Math.round(ready.with_keys)} ms to ready with ${settings.keys} keys (the very first start, which makes the database: ${Math.round(ready.first_start)} ms)`);
  say(`memory        ${memory.idle_mib.toFixed(0)} MiB idle, ${memory.load_mib.toFixed(0)} MiB under load; its Postgres ${memory.idle_postgres_mib.toFixed(0)} MiB`);
  const met = (yes) => (yes ? 'met' : 'missed');
  const [few, many, inTurn] = cases;
  for (const { name, ratio } of [few, many, inTurn]) {
    say(`aim           ${name}: ${ratio.throughput.toFixed(2)} of bare (at least ${AIM.throughput}): ${met(ratio.throughput >= AIM.throughput)}; p99 ${ratio.p99.toFixed(2)} of bare's (at most ${AIM.p99}): ${met(ratio.p99 <= AIM.p99)}`);
  }
  for (const [one, what] of [[many, 'one'], [inTurn, 'many in turn']]) {
    const slower = 1 - one.ratio.throughput / few.ratio.throughput;
    say(`aim           with ${settings.keys} keys, ${what}, ${(slower * 100).toFixed(1)} % slower than with 20 (at most ${AIM.slower * 100} %): ${met(slower <= AIM.slower)}`);
  }
  const idle = cases.filter(({ bare: b }) => b.server_busy < 0.9).map(({ name }) => name);
  if (idle.length) say(`note          the bare server had less than 90 % of its core (${idle.join('; ')}): wrk or other programs were the limit; compare the server time`);
  if (machine.load_before > 0.5) say(`note          the machine was busy before the run (load ${machine.load_before.toFixed(1)}): do not trust the absolute figures`);
}
