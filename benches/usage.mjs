// The case `usage`: the usage of one key over 90 days, where 100,000 keys have been called for a year. The key that is asked about was
// called in every hour of it, on two routes; each other one on every tenth day. Time of the answer to one client, not beside a load:
// what REST gives as numbers, and the page with its charts and tables.
import { Agent } from 'node:http';
import { call, median, percentile, sleep } from './machine.mjs';

const AIM_MS = 30;
const DAYS = 90;
const TIMES = 100;

export async function measure(bench) {
  const { keys: count } = bench.settings;
  const tollgate = await bench.product('usage');
  await tollgate.start();
  tollgate.fill();
  tollgate.crowd(1, 1);
  bench.say(`writing ${count} keys and a year of their calls`);
  tollgate.multitude(count);
  const rows = tollgate.history();
  await tollgate.stop();
  await tollgate.start();
  await sleep(2000);

  const reader = tollgate.createKey('tollgate', 'reader', 'usage:read');
  tollgate.run(['key', 'set-limit', reader.id, '--limit', '1000000', '--window', '3600']);
  await sleep(1500);
  const cookie = await tollgate.signIn();
  const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const span = `key=${tollgate.key.id}&from=${day(DAYS)}&to=${day(0)}&bucket=day`;
  const asked = [
    { name: 'chart as JSON', path: `/api/v1/usage?${span}`, headers: { Authorization: `Bearer ${reader.secret}` } },
    { name: 'page /usage', path: `/usage?${span}`, headers: { Cookie: cookie, Accept: 'text/html' } },
  ];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const cases = [];
  for (const { name, path, headers } of asked) {
    const took = [];
    let bytes = 0;
    for (let n = -10; n < TIMES; n++) { // the first ten warm up
      const from = performance.now();
      const { status, body } = await call(tollgate.url + path, { headers, agent });
      if (status !== 200) throw new Error(`${path} answered ${status}: ${body.slice(0, 1000)}`);
      if (n >= 0) took.push(performance.now() - from);
      bytes = body.length;
    }
    cases.push({ name, bytes, p50_ms: median(took), p95_ms: percentile(took, 0.95), max_ms: Math.max(...took) });
  }
  agent.destroy();
  return { keys: count, rows, days: DAYS, cases };
}

export function report({ keys, rows, days, cases }, say) {
  say('');
  say(`keys          ${keys}, ${rows} rows of days and hours; ${days} days of one key`);
  for (const { name, p50_ms: p50, p95_ms: p95, max_ms: max, bytes } of cases) {
    say(`${name.padEnd(13)} ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, at most ${max.toFixed(1)} ms (${bytes} bytes): ${p95 <= AIM_MS ? 'met' : 'missed'} (at most ${AIM_MS} ms)`);
  }
}
