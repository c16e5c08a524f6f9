// The case `metering`: what counting costs. The same product twice, once with metering (meter, spool, the flusher's writing) and once
// without (TOLLGATE_METERING=false, which production refuses: so both are in development), alternately, in one run;
// the median of how neighbouring turns compare. Limits are on.
import { median, sleep, wrk } from './machine.mjs';

const AIM = 0.05;

export async function measure(bench) {
  const { rounds, seconds, connections } = bench.settings;
  const load = { connections, folder: bench.folder };
  const made = [];
  for (const [name, metering] of [['on', 'true'], ['off', 'false']]) {
    const product = await bench.product(`metering-${name}`, { TOLLGATE_ENV: 'development', TOLLGATE_METERING: metering });
    await product.start();
    product.fill();
    const request = {
      method: 'POST', path: '/api/v1/keys/verify', headers: { Authorization: `Bearer ${product.verifier.secret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ key: product.key.secret, api: 'demo', permission: 'orders:read', route: 'GET /orders' }),
    };
    await wrk(product.port, product.pid, [request], { ...load, seconds: 1 });
    made.push({ name, product, request, runs: [] });
  }
  await sleep(3000); // the flusher has written what came so far
  // Short turns, and many: what else the machine does then falls on both alike, and each turn is compared with its neighbour.
  const turns = Math.max(1, Math.round(rounds * seconds));
  for (let turn = 0; turn < turns; turn++) {
    for (const one of turn % 2 ? [...made].reverse() : made) {
      one.runs.push(await wrk(one.product.port, one.product.pid, [one.request], { ...load, seconds: 1 }));
    }
  }
  bench.say(`${turns} turns of a second each done`);
  const of = ({ runs }) => ({ per_second: median(runs.map((run) => run.per_second)), server_us: median(runs.map((run) => run.server_us_per_request)), runs });
  const [on, off] = made.map(of);
  const ratio = median(on.runs.map((run, turn) => run.per_second / off.runs[turn].per_second));
  const time = median(on.runs.map((run, turn) => run.server_us_per_request / off.runs[turn].server_us_per_request));
  return { on, off, ratio, time, counted: made[0].product.metered(), not_counted: made[1].product.metered() };
}

export function report({ on, off, ratio, time, not_counted: notCounted }, say) {
  const cost = 1 - ratio;
  say('');
  say(`metering      ${Math.round(on.per_second)} verifications/s with, ${Math.round(off.per_second)} without; ${on.server_us.toFixed(2)} and ${off.server_us.toFixed(2)} µs of the server each`);
  say(`server time   ${((time - 1) * 100).toFixed(1)} % more with metering (median of neighbours)`);
  say(`aim           ${(cost * 100).toFixed(1)} % (at most ${AIM * 100} %): ${cost <= AIM ? 'met' : 'missed'}`);
  if (notCounted > 0) say(`note          ${notCounted} calls were counted without metering: the comparison is not what it says`);
}
