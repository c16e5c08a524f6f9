// The case `gate`: Tollgate against a bare axum server that gives the same answers, alternately, in one run. A ratio is the median of those of the
// rounds, each of two runs that follow one another: the machine may be slower in one round than in another.
//
// Two Tollgates are measured in the same rounds, one with 20 keys and one with 100,000, so that what all these keys cost is told apart from what the
// machine did meanwhile; who is not asked has its jobs of each minute alone. The servers have core 0 (with the Tollgates their Postgres too), wrk has core 1. Limits and
// metering are on. With 100,000 keys one is verified, then many of them in turn, each with a limit of its own as all keys have here. A case pays for
// writing what it counted and for nothing else: the next one begins once all is written, and that of many keys lasts for two batches.
// At the end the calls that wrk made are compared with those that the databases have counted.
import { cpus, loadavg } from 'node:os';
import { compare, table } from './compare.mjs';
import { call, descendantsMiB, median, residentMiB, sleep, wrk } from './machine.mjs';

const STARTS = 3;
/** How many keys wrk walks through. It reads them all before it begins, and a round asks each a few times. */
const IN_TURN = 20_000;
/** Twice the time from one batch to the next where thousands of keys are in use (`usage/server/rhythm.rs`): a run meets the two batches that so much
 * time has for whoever calls without end. */
const TWO_BATCHES = 20;
/** Of verifying beside the bare server: throughput, p99, and how much slower it may be with all keys than with few. */
const AIM = { throughput: 0.85, p99: 1.5, slower: 0.05 };

/** Measures; `bench` is what benches/run.mjs gives to every case. */
export async function measure(bench) {
  const { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS } = bench.settings;
  const loadBefore = loadavg()[0];
  const [few, many] = [await bench.product('gate-few'), await bench.product('gate')];
  const firstStart = await many.start();
  many.fill();
  const crowd = spread(many.crowd(KEYS, KEYS), IN_TURN);
  const starts = [];
  for (let i = 0; i < STARTS; i++) {
    await many.stop();
    starts.push(await many.start());
  }
  await sleep(3000);
  const memory = { idle_mib: residentMiB(many.pid), idle_postgres_mib: descendantsMiB(many.pid), load_mib: 0 };

  await few.start();
  few.fill();
  const cases = await benchCases(few, many, crowd, KEYS);
  const bare = await startBare(bench, cases);
  const rounds = cases.map(() => ({ tollgate: [], bare: [] }));
  const calls = new Map([[few, { expected: 0, runs: 0 }], [many, { expected: 0, runs: 0 }]]);
  for (const { tollgate, counted } of cases) if (counted) calls.get(tollgate).expected += 1; // the one that the answer was recorded from
  for (let round = -1; round < ROUNDS; round++) { // round -1 warms up
    // The order of the cases changes too, and who begins: a machine that slows down favours nobody.
    for (const [i, { tollgate, requests, barePath, counted, seconds: least = 0 }] of round % 2 ? [...cases.entries()].reverse() : cases.entries()) {
      const atMost = { seconds: round < 0 ? 1 : Math.max(SECONDS, least), connections: CONNECTIONS, folder: bench.folder };
      const measureTollgate = async () => {
        const onTick = () => (memory.load_mib = Math.max(memory.load_mib, residentMiB(many.pid)));
        const figures = await wrk(tollgate.port, tollgate.pid, requests, { ...atMost, onTick });
        if (counted) {
          const made = calls.get(tollgate);
          made.expected += figures.requests;
          made.runs += 1;
          await written(tollgate, made.expected);
        }
        if (round >= 0) rounds[i].tollgate.push(figures);
      };
      const measureBare = async () => {
        const figures = await wrk(bare.port, bare.pid, requests.map((request) => ({ ...request, path: barePath })), atMost);
        if (round >= 0) rounds[i].bare.push(figures);
      };
      for (const measure of round % 2 ? [measureBare, measureTollgate] : [measureTollgate, measureBare]) await measure();
    }
    if (round >= 0) bench.say(`round ${round + 1} of ${ROUNDS} done`);
  }

  return {
    machine: { cpu: cpus()[0].model, cores: cpus().length, load_before: loadBefore },
    settings: { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, keys: KEYS },
    cases: cases.map(({ name }, i) => ({ name, ...compare(rounds[i]), rounds: rounds[i] })),
    slower: slower(rounds),
    metering: await metering(calls, CONNECTIONS),
    ready_ms: { first_start: firstStart, with_keys: median(starts), starts },
    memory,
  };
}

/** By how much the second and the third case are slower than the first, beside the bare server each; medians of the rounds. */
function slower([few, ...others]) {
  const beside = ({ tollgate, bare }, round) => tollgate[round].per_second / bare[round].per_second;
  return others.slice(0, 2).map((other) => median(other.bare.map((_, round) => 1 - beside(other, round) / beside(few, round))));
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
const verifyOne = (tollgate, name) => ({ name, tollgate, requests: [verifying(tollgate, tollgate.key.secret)], counted: true });

/** What is measured. `counted`: each call is a verification that usage must show. */
async function benchCases(few, tollgate, crowd, keys) {
  const forward = {
    method: 'GET', path: '/forward-auth/demo',
    headers: { Authorization: `Bearer ${tollgate.key.secret}`, 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/orders?limit=1' },
  };
  const cookie = await tollgate.signIn();
  const cases = [
    verifyOne(few, 'verify, one key of 20'),
    verifyOne(tollgate, `verify, one key of ${keys}`),
    { name: `verify, ${crowd.length} of ${keys} keys in turn`, tollgate, requests: crowd.map((key) => verifying(tollgate, key)), counted: true, seconds: TWO_BATCHES },
    { name: 'forward-auth', tollgate, requests: [forward], counted: true },
    { name: 'page /keys, 20 keys', tollgate, requests: [{ method: 'GET', path: '/keys', headers: { Cookie: cookie, Accept: 'text/html' } }] },
  ];
  const answered = [];
  for (const [i, one] of cases.entries()) answered.push(await recorded(i, one));
  return answered;
}

/** With Tollgate's answer, which the bare server is to give. */
async function recorded(place, one) {
  const [{ path, ...request }] = one.requests;
  const answer = await call(one.tollgate.url + path, request);
  if (answer.status !== 200) throw new Error(`${one.name}: ${answer.status} ${answer.body.slice(0, 1000)}`);
  if (path.endsWith('/verify') && JSON.parse(answer.body).valid !== true) throw new Error(`${one.name}: ${answer.body}`);
  return { ...one, answer, barePath: `/${place}${path}` };
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
async function metering(calls, connections) {
  const sum = { calls: 0, counted: 0, exact: true };
  for (const [tollgate, { expected, runs }] of calls) {
    const counted = await written(tollgate, expected);
    sum.calls += expected;
    sum.counted += counted;
    sum.exact &&= counted >= expected && counted <= expected + runs * connections;
  }
  return sum;
}

export function report({ cases, slower, metering: { calls, counted, exact }, ready_ms: ready, memory, machine, settings }, say) {
  table(cases, say);
  say(`metering      ${counted} counted of ${calls} calls: ${exact ? 'nothing lost, nothing counted twice' : 'WRONG'}`);
  say(`start         ${Math.round(ready.with_keys)} ms to ready with ${settings.keys} keys (the very first start, which makes the database: ${Math.round(ready.first_start)} ms)`);
  say(`memory        ${memory.idle_mib.toFixed(0)} MiB idle, ${memory.load_mib.toFixed(0)} MiB under load; its Postgres ${memory.idle_postgres_mib.toFixed(0)} MiB`);
  const met = (yes) => (yes ? 'met' : 'missed');
  const [few, many, inTurn] = cases;
  for (const { name, ratio } of [few, many, inTurn]) {
    say(`aim           ${name}: ${ratio.throughput.toFixed(2)} of bare (at least ${AIM.throughput}): ${met(ratio.throughput >= AIM.throughput)}; p99 ${ratio.p99.toFixed(2)} of bare's (at most ${AIM.p99}): ${met(ratio.p99 <= AIM.p99)}`);
  }
  for (const [i, what] of ['one', 'many in turn'].entries()) {
    say(`aim           with ${settings.keys} keys, ${what}, ${(slower[i] * 100).toFixed(1)} % slower than with 20 (at most ${AIM.slower * 100} %): ${met(slower[i] <= AIM.slower)}`);
  }
  const idle = cases.filter(({ bare: b }) => b.server_busy < 0.9).map(({ name }) => name);
  if (idle.length) say(`note          the bare server had less than 90 % of its core (${idle.join('; ')}): wrk or other programs were the limit; compare the server time`);
  if (machine.load_before > 0.5) say(`note          the machine was busy before the run (load ${machine.load_before.toFixed(1)}): do not trust the absolute figures`);
}
