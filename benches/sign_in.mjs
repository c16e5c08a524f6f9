// The case `sign-in`: what the server does when more people sign in than Argon2 lets through. Right passwords come from many accounts at
// once, each from an address of its own; meanwhile 200 connections of wrk read the sign-in page, and /healthz is asked again and again.
//
// Core 0 has Tollgate and its Postgres, so Argon2 has one place to run and 16 to wait in front of it, unless TOLLGATE_ARGON2_PARALLEL
// says otherwise; whoever finds no place is answered 503.
import { Agent } from 'node:http';
import { call, peakMiB, percentile, probe, residentMiB, sleep, wrk } from './machine.mjs';
import { SignInForm } from './sign_in_form.mjs';

const CLIENTS = 64;
const READERS = 200;
const PROBE_PAUSE_MS = 10;
/** How long a client waits that was turned away: half of what it is told. */
const PATIENCE_MS = 1000;

export async function measure(bench) {
  const { rounds, seconds } = bench.settings;
  const length = rounds * seconds;
  const tollgate = await bench.product('sign-in', { TOLLGATE_TRUSTED_PROXIES: '127.0.0.1/32' });
  await tollgate.start();
  tollgate.operator();
  const people = tollgate.people('person', CLIENTS);
  const form = await SignInForm.of(tollgate.url);
  await sleep(2000);
  const memory = { idle_mib: residentMiB(tollgate.pid) };

  const alone = await healthz(tollgate, sleep(length * 1000));
  const crowd = new Crowd(tollgate, form, people);
  const signing = await crowd.during(healthz(tollgate, sleep(length * 1000)));
  memory.signing_in_mib = peakMiB(tollgate.pid);
  const reading = { method: 'GET', path: '/sign-in', headers: { Accept: 'text/html' } };
  let page;
  const both = await crowd.during(healthz(tollgate, wrk(tollgate.port, tollgate.pid, [reading], { seconds: length, connections: READERS, folder: bench.folder }).then((figures) => (page = figures))));
  memory.peak_mib = peakMiB(tollgate.pid);
  return {
    clients: CLIENTS, readers: READERS, seconds: length, memory,
    signing_in: { ...signing.crowd, healthz_ms: signing.of },
    signing_in_and_reading: { ...both.crowd, healthz_ms: both.of, page },
    healthz_alone_ms: alone,
  };
}

/** Percentiles of /healthz until `end`. */
async function healthz(tollgate, end) {
  let isOver = false;
  const ended = end.finally(() => (isOver = true));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const took = await probe(async () => {
    const { status } = await call(`${tollgate.url}/healthz`, { agent });
    if (status !== 200) throw new Error(`/healthz answered ${status}`);
  }, () => isOver, PROBE_PAUSE_MS);
  agent.destroy();
  await ended;
  return { samples: took.length, p50: percentile(took, 0.5), p99: percentile(took, 0.99), max: Math.max(...took) };
}

/** People who sign in again and again. */
class Crowd {
  constructor(tollgate, form, people) { Object.assign(this, { tollgate, form, people }); }

  /** Lets them sign in until `work` is done; what it answered, and what became of them. */
  async during(work) {
    let isOver = false;
    const took = [];
    const counts = { signed_in: 0, turned_away: 0 };
    const one = async (email, i) => {
      const headers = { 'X-Forwarded-For': `198.18.${i >> 8}.${i & 255}` };
      while (!isOver) {
        const from = performance.now();
        const { status, body } = await this.form.post(email, this.tollgate.password, { headers, keep: false });
        if (isOver) return; // it began in time and ended too late to count
        if (status === 303 || status === 302) {
          counts.signed_in += 1;
          took.push(performance.now() - from);
        } else if (status === 503) {
          counts.turned_away += 1;
          await sleep(PATIENCE_MS);
        } else throw new Error(`signing in answered ${status}\n${body.slice(0, 1000)}`);
      }
    };
    const from = performance.now();
    const all = Promise.all(this.people.map(one));
    const of = await Promise.race([work, all.then(() => work)]);
    const wall = (performance.now() - from) / 1000;
    isOver = true;
    await all;
    const rate = (count) => count / wall;
    return { of, crowd: { sign_ins_per_second: rate(counts.signed_in), turned_away_per_second: rate(counts.turned_away), ...(took.length && { p50_ms: percentile(took, 0.5), p99_ms: percentile(took, 0.99) }) } };
  }
}

export function report({ clients, readers, memory, signing_in: signing, signing_in_and_reading: both, healthz_alone_ms: alone }, say) {
  const ms = (value) => `${value.toFixed(1)} ms`;
  const health = ({ p50, p99, max }) => `/healthz p50 ${ms(p50)}, p99 ${ms(p99)}, at most ${ms(max)}`;
  const crowd = ({ sign_ins_per_second: done, turned_away_per_second: away, p50_ms: p50, p99_ms: p99 }) =>
    `${done.toFixed(1)} sign-ins/s${done ? ` (p50 ${ms(p50)}, p99 ${ms(p99)})` : ''}, ${away.toFixed(1)}/s answered 503`;
  say('');
  say(`idle          ${health(alone)}`);
  say(`sign-in       ${clients} people at once: ${crowd(signing)}`);
  say(`              ${health(signing.healthz_ms)}`);
  say(`and reading   ${crowd(both)}`);
  say(`              ${readers} connections: ${Math.round(both.page.per_second)} sign-in pages/s, p99 ${ms(both.page.p99_us / 1000)}`);
  say(`              ${health(both.healthz_ms)}`);
  say(`memory        ${memory.idle_mib.toFixed(0)} MiB idle, at most ${memory.signing_in_mib.toFixed(0)} MiB signing in, ${memory.peak_mib.toFixed(0)} MiB with readers`);
}
