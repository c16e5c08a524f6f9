// The case `timing`: whether the time of a refused sign-in tells who has an account (SECURITY.md R16, S18). Wrong passwords are sent for
// addresses that are known, unknown, locked and without a password, one after the other in random order, each from a network address of
// its own; what is told are differences of medians with a 95 % confidence interval (bootstrap, percentile method).
//
// Argon2 runs at the lowest cost that the settings allow: the less it takes, the better is anything else seen.
import { randomInt } from 'node:crypto';
import { Agent } from 'node:http';
import { median } from './machine.mjs';
import { SignInForm } from './sign_in_form.mjs';

const KINDS = ['known', 'unknown', 'locked', 'passwordless'];
/** Addresses of each kind. Before one is used again what it failed is forgotten, but for the locked ones. */
const ADDRESSES = 250;
const RESAMPLES = 2000;

export async function measure(bench) {
  const tollgate = await bench.product('timing', { TOLLGATE_TRUSTED_PROXIES: '127.0.0.1/32', TOLLGATE_ARGON2_MEMORY: '19456', TOLLGATE_ARGON2_PASSES: '2' });
  await tollgate.start();
  tollgate.operator();
  const addresses = {
    known: tollgate.people('known', ADDRESSES),
    unknown: Array.from({ length: ADDRESSES }, (_, i) => `nobody-${i + 1}@example.test`),
    locked: tollgate.people('locked', ADDRESSES),
    passwordless: tollgate.people('passwordless', ADDRESSES, { withPassword: false }),
  };
  const form = await SignInForm.of(tollgate.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let senders = 0;
  const send = async (email) => {
    senders += 1;
    const headers = { 'X-Forwarded-For': `10.${senders >> 16}.${(senders >> 8) & 255}.${senders & 255}` };
    const from = performance.now();
    const { status } = await form.post(email, 'not the password at all', { headers, agent, keep: false });
    return { status, ms: performance.now() - from };
  };

  for (const email of addresses.locked) await send(email);
  tollgate.sql(`update attempt_counters set blocked_until = now() + interval '30 days' where bucket like 'sign_in:id:%'`);
  const rounds = Math.max(1, Math.round(bench.settings.samples / KINDS.length));
  const times = Object.fromEntries(KINDS.map((kind) => [kind, []]));
  const statuses = Object.fromEntries(KINDS.map((kind) => [kind, {}]));
  for (let round = 0; round < rounds; round++) {
    if (round % ADDRESSES === 0) tollgate.sql(`delete from attempt_counters where blocked_until < now() + interval '1 day'`);
    for (const kind of shuffled(KINDS)) {
      const { status, ms } = await send(addresses[kind][round % ADDRESSES]);
      times[kind].push(ms);
      statuses[kind][status] = (statuses[kind][status] ?? 0) + 1;
    }
    if (round && round % 500 === 0) bench.say(`${round * KINDS.length} of ${rounds * KINDS.length} samples`);
  }
  agent.destroy();
  return {
    samples: rounds * KINDS.length,
    statuses,
    median_ms: Object.fromEntries(KINDS.map((kind) => [kind, median(times[kind])])),
    difference_ms: Object.fromEntries(KINDS.slice(1).map((kind) => [kind, difference(times[kind], times.known)])),
  };
}

function shuffled(list) {
  const rest = [...list];
  return list.map(() => rest.splice(randomInt(rest.length), 1)[0]);
}

/** Median of `a` less that of `b`, and between what 95 % of resampled ones lie. */
function difference(a, b) {
  const resampled = (list) => median(list.map(() => list[Math.floor(Math.random() * list.length)]));
  const differences = Array.from({ length: RESAMPLES }, () => resampled(a) - resampled(b)).sort((x, y) => x - y);
  return { of_medians: median(a) - median(b), low: differences[Math.floor(RESAMPLES * 0.025)], high: differences[Math.ceil(RESAMPLES * 0.975) - 1] };
}

export function report({ samples, statuses, median_ms: medians, difference_ms: differences }, say) {
  say('');
  for (const kind of KINDS) {
    const told = Object.entries(statuses[kind]).map(([status, count]) => `${count} × ${status}`).join(', ');
    say(`${kind.padEnd(14)}median ${medians[kind].toFixed(3)} ms (${told})`);
  }
  for (const [kind, { of_medians: middle, low, high }] of Object.entries(differences)) {
    say(`${kind.padEnd(14)}less known: ${middle.toFixed(3)} ms, 95 % between ${low.toFixed(3)} and ${high.toFixed(3)}${low <= 0 && high >= 0 ? ', none seen' : ''}`);
  }
  say(`samples       ${samples} in all, interleaved`);
}
