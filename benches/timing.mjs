// The case `timing`: whether the time of an answer tells who has an account (SECURITY.md R15, R16, S18, S29). What is sent in turn to addresses
// of every kind: wrong passwords, requests for a mail (a new password, the proof again), wrong codes, sign-ups. One after the other in random
// order, each from a network address of its own; what is told are differences of medians with a 95 % confidence interval (bootstrap,
// percentile method).
//
// Argon2 runs at the lowest cost that the settings allow: the less it takes, the better is anything else seen. Jobs wait: they come after the
// answer, and those of one address would run beside the next.
import { randomBytes, randomInt } from 'node:crypto';
import { Agent } from 'node:http';
import { call, median } from './machine.mjs';
import { SignInForm } from './sign_in_form.mjs';

/** Addresses of each kind. Before one is used again what it failed is forgotten, but for the locked ones. */
const ADDRESSES = 250;
const RESAMPLES = 2000;
/** Signing in has all of BENCH_SAMPLES, each of the others this part of them. */
const PART = 1 / 5;
const VARIABLES = {
  TOLLGATE_TRUSTED_PROXIES: '127.0.0.1/32',
  TOLLGATE_ARGON2_MEMORY: '19456',
  TOLLGATE_ARGON2_PASSES: '2',
  TOLLGATE_JOBS_IN_SERVE: 'false',
};

export async function measure(bench) {
  const tollgate = await bench.product('timing', VARIABLES);
  await tollgate.start();
  tollgate.operator();
  const addresses = people(tollgate);
  const form = await SignInForm.of(tollgate.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let senders = 0;
  const from = () => {
    senders += 1;
    return { 'X-Forwarded-For': `10.${senders >> 16}.${(senders >> 8) & 255}.${senders & 255}` };
  };
  const signIn = (email) => form.post(email, 'not the password at all', { headers: from(), agent, keep: false });
  const rest = (path, body) => (email) => call(`${tollgate.url}/api/v1/auth/${path}`, {
    method: 'POST', agent, headers: { 'Content-Type': 'application/json', ...from() }, body: JSON.stringify({ email, ...body }),
  });

  for (const email of addresses.locked) await signIn(email);
  tollgate.sql(`update attempt_counters set blocked_until = now() + interval '30 days' where bucket like 'sign_in:id:%'`);
  // The first kind of each is what the others are held against. A sign-up comes last: those of unproven addresses end their codes.
  const acts = {
    'sign-in': { kinds: ['known', 'unknown', 'locked', 'passwordless'], send: signIn, part: 1 },
    forgot: { kinds: ['known', 'unknown', 'locked', 'passwordless', 'unproven'], send: rest('password/forgot') },
    resend: { kinds: ['known', 'unknown', 'locked', 'passwordless', 'unproven'], send: rest('verify/resend') },
    verify: { kinds: ['unproven', 'unknown', 'known', 'locked'], send: rest('verify', { code: '000000' }) },
    // What was unknown is known then, so it is another address each time.
    'sign-up': {
      kinds: ['known', 'unknown', 'locked', 'passwordless', 'unproven'],
      send: rest('register', { name: 'Somebody', password: randomBytes(18).toString('base64url') }),
      addressOf: (kind, round) => (kind === 'unknown' ? `new-${round}@example.test` : addresses[kind][round % ADDRESSES]),
    },
  };
  const measured = {};
  for (const [name, { kinds, send, part = PART, addressOf = (kind, round) => addresses[kind][round % ADDRESSES] }] of Object.entries(acts)) {
    const rounds = Math.max(1, Math.round((bench.settings.samples * part) / kinds.length));
    const times = Object.fromEntries(kinds.map((kind) => [kind, []]));
    const statuses = Object.fromEntries(kinds.map((kind) => [kind, {}]));
    for (let round = 0; round < rounds; round++) {
      if (round % ADDRESSES === 0) tollgate.sql(`delete from attempt_counters where blocked_until < now() + interval '1 day'; delete from jobs;`);
      for (const kind of shuffled(kinds)) {
        const email = addressOf(kind, round);
        const before = performance.now();
        const { status } = await send(email);
        times[kind].push(performance.now() - before);
        statuses[kind][status] = (statuses[kind][status] ?? 0) + 1;
      }
      if (round && round % 500 === 0) bench.say(`${name}: ${round * kinds.length} of ${rounds * kinds.length} samples`);
    }
    const [first, ...others] = kinds;
    measured[name] = {
      samples: rounds * kinds.length,
      against: first,
      statuses,
      median_ms: Object.fromEntries(kinds.map((kind) => [kind, median(times[kind])])),
      difference_ms: Object.fromEntries(others.map((kind) => [kind, difference(times[kind], times[first])])),
    };
  }
  agent.destroy();
  return measured;
}

/** The addresses by kind. Those that are not proven wait for a code that nobody knows, all day long. */
function people(tollgate) {
  const addresses = {
    known: tollgate.people('known', ADDRESSES),
    unknown: Array.from({ length: ADDRESSES }, (_, i) => `nobody-${i + 1}@example.test`),
    locked: tollgate.people('locked', ADDRESSES),
    passwordless: tollgate.people('passwordless', ADDRESSES, { withPassword: false }),
    unproven: tollgate.people('unproven', ADDRESSES),
  };
  tollgate.sql(`update accounts set verified_at = null where name = 'unproven';
    insert into auth_tokens (id, account_id, kind, token_hash, code_hash, created_at, expires_at, code_expires_at)
      select gen_random_uuid(), id, 'verify_email', sha256(uuid_send(gen_random_uuid())), sha256(uuid_send(gen_random_uuid())), now(),
        now() + interval '1 day', now() + interval '1 day'
      from accounts where name = 'unproven';
    analyze accounts; analyze auth_tokens;`);
  return addresses;
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

export function report(measured, say) {
  for (const [name, { samples, against, statuses, median_ms: medians, difference_ms: differences }] of Object.entries(measured)) {
    say(`\n${name}: ${samples} samples in all, interleaved`);
    for (const [kind, middle] of Object.entries(medians)) {
      const told = Object.entries(statuses[kind]).map(([status, count]) => `${count} × ${status}`).join(', ');
      say(`${kind.padEnd(14)}median ${middle.toFixed(3)} ms (${told})`);
    }
    for (const [kind, { of_medians: middle, low, high }] of Object.entries(differences)) {
      const seen = low <= 0 && high >= 0 ? ', none seen' : '';
      say(`${kind.padEnd(14)}less ${against}: ${middle.toFixed(3)} ms, 95 % between ${low.toFixed(3)} and ${high.toFixed(3)}${seen}`);
    }
  }
}
