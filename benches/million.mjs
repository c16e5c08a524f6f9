// The case `million`: what a million keys cost. They are written into the product's own database, the server starts anew and is measured:
// time until it is ready (with all cores), memory (its Postgres apart), and, while wrk verifies, how long making one more key takes and
// whether verifying ever pauses for it: medians of rounds with and without.
import { Agent } from 'node:http';
import { ALL_CORES, call, descendantsMiB, median, peakMiB, percentile, probe, residentMiB, sleep, wrk } from './machine.mjs';

const IN_TURN = 1000;
const AIM = { ready_ms: 5000, mib: 400, pause_ms: 5 };
/** Between two keys that are made under load. */
const PAUSE_MS = 250;

export async function measure(bench) {
  const { seconds, rounds, connections, many_keys: count } = bench.settings;
  const tollgate = await bench.product('million');
  await tollgate.start();
  tollgate.fill();
  const secrets = tollgate.crowd(IN_TURN, IN_TURN);
  const empty_mib = residentMiB(tollgate.pid);
  bench.say(`writing ${count} keys`);
  tollgate.multitude(count);

  const startAnew = async (cores) => {
    await tollgate.stop();
    return tollgate.start(cores);
  };
  // The first looks at rows that nobody has looked at yet.
  const ready = { first: await startAnew(ALL_CORES), again: await startAnew(ALL_CORES), on_one_core: await startAnew() };
  await sleep(3000);
  const memory = { empty_mib, ready_mib: residentMiB(tollgate.pid), peak_at_start_mib: peakMiB(tollgate.pid), postgres_mib: descendantsMiB(tollgate.pid) };

  const verify = (key) => ({
    method: 'POST', path: '/api/v1/keys/verify', headers: { Authorization: `Bearer ${tollgate.verifier.secret}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ key, api: 'demo', permission: 'orders:read', route: 'GET /orders' }),
  });
  const load = { seconds, connections, folder: bench.folder };
  const under = async (meanwhile) => {
    let isOver = false;
    const loaded = wrk(tollgate.port, tollgate.pid, secrets.map(verify), load).finally(() => (isOver = true));
    const [figures, asked, made] = await Promise.all([loaded, pauses(tollgate, verify(secrets[0]), () => isOver), meanwhile(() => isOver)]);
    return { per_second: figures.per_second, p99_ms: figures.p99_us / 1000, longest_ms: figures.max_us / 1000, ...asked, made };
  };
  await wrk(tollgate.port, tollgate.pid, secrets.map(verify), { ...load, seconds: 1 });
  const maker = keyMaker(tollgate, tollgate.createKey('tollgate', 'maker', 'keys:write'));
  const runs = { without: [], while_keys_are_made: [] };
  for (let round = 0; round < rounds; round++) {
    runs.without.push(await under(async () => []));
    runs.while_keys_are_made.push(await under(maker));
  }
  memory.load_mib = residentMiB(tollgate.pid);
  memory.peak_mib = peakMiB(tollgate.pid);
  const made = runs.while_keys_are_made.flatMap((run) => run.made);
  const medians = (list) => Object.fromEntries(['per_second', 'p99_ms', 'longest_ms', 'one_p99_ms', 'one_longest_ms'].map((field) => [field, median(list.map((run) => run[field]))]));
  return {
    keys: count, ready_ms: ready, memory,
    new_key_ms: { made: made.length, p50: percentile(made, 0.5), max: Math.max(...made) },
    verify: { without: medians(runs.without), while_keys_are_made: medians(runs.while_keys_are_made), rounds: runs },
  };
}

/** Makes keys by REST until it is told to stop; the milliseconds of each. Another name each time: none is made twice. */
function keyMaker(tollgate, key) {
  tollgate.run(['key', 'set-limit', key.id, '--limit', '1000000', '--window', '3600']);
  let number = 0;
  return (isOver) => probe(async () => {
    number += 1;
    const answer = await call(`${tollgate.url}/api/v1/keys`, {
      method: 'POST', headers: { Authorization: `Bearer ${key.secret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: `under load ${number}`, api: 'demo' }),
    });
    if (answer.status !== 201) throw new Error(`making a key answered ${answer.status}: ${answer.body}`);
  }, isOver, PAUSE_MS);
}

/** One caller beside wrk, who asks a millisecond after each answer: p99 and the longest wait. */
async function pauses(tollgate, { path, ...request }, isOver) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const took = await probe(async () => {
    const { status } = await call(tollgate.url + path, { ...request, agent });
    if (status !== 200) throw new Error(`verifying answered ${status}`);
  }, isOver, 1);
  agent.destroy();
  return { one_p99_ms: percentile(took, 0.99), one_longest_ms: Math.max(...took) };
}

export function report({ keys, ready_ms: ready, memory, new_key_ms: made, verify }, say) {
  const met = (yes) => (yes ? 'met' : 'missed');
  const line = ({ per_second: rate, p99_ms: p99, longest_ms: longest, one_p99_ms: oneP99, one_longest_ms: oneLongest }) =>
    `${Math.round(rate)} verifications/s, p99 ${p99.toFixed(2)} ms, longest ${longest.toFixed(1)} ms; one caller beside: p99 ${oneP99.toFixed(2)} ms, longest ${oneLongest.toFixed(1)} ms`;
  const more = verify.while_keys_are_made.longest_ms - verify.without.longest_ms;
  say('');
  say(`keys          ${keys}`);
  say(`start         ${Math.round(ready.again)} ms to ready: ${met(ready.again <= AIM.ready_ms)} (the first after they were written: ${Math.round(ready.first)} ms; with its Postgres on one core: ${Math.round(ready.on_one_core)} ms)`);
  say(`memory        ${memory.ready_mib.toFixed(0)} MiB ready, ${memory.load_mib.toFixed(0)} MiB under load, at most ${memory.peak_mib.toFixed(0)} MiB: ${met(memory.peak_mib <= AIM.mib)}; about ${Math.round(((memory.ready_mib - memory.empty_mib) * 2 ** 20) / keys)} bytes a key; its Postgres ${memory.postgres_mib.toFixed(0)} MiB`);
  say(`one more      ${made.p50.toFixed(1)} ms, at most ${made.max.toFixed(1)} ms, of ${made.made} made under load`);
  say(`under load    ${line(verify.without)}`);
  say(`making keys   ${line(verify.while_keys_are_made)}`);
  say(`pause         ${Math.max(0, more).toFixed(1)} ms longer than without: ${met(more <= AIM.pause_ms)}`);
}
