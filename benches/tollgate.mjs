// The product as the bench uses it: the shipped binary in a data folder of its own, filled through its command line and its database.
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, openSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readyAfter, start, stop } from './machine.mjs';
import { SignInForm } from './sign_in_form.mjs';

const EMAIL = 'bench@example.test';
const CROWD_EMAIL = 'crowd@example.test';
const PASSWORD = randomBytes(18).toString('base64url');
const PAGE_KEYS = 20;
/** No run comes near it: every call is counted against the limit and passes. */
const LIMIT = { calls: 1_000_000_000, seconds: 3600 };
const READY_WITHIN_MS = 600_000;

export class Tollgate {
  /** `variables` are settings beside the usual ones. */
  constructor(binary, folder, port, variables = {}) {
    Object.assign(this, { binary, folder, port, url: `http://127.0.0.1:${port}` });
    this.env = {
      TOLLGATE_ENV: 'production',
      TOLLGATE_ADDR: `127.0.0.1:${port}`,
      TOLLGATE_PUBLIC_URL: this.url,
      TOLLGATE_DATA_DIR: join(folder, 'data'),
      TOLLGATE_ACCOUNT_RATE: '0', // what is measured is faster than people
      TOLLGATE_ADDRESS_RATE: '0',
      DATABASE_URL: undefined, // its own, whatever the shell has
      ...variables,
    };
  }

  /** Starts it, with its Postgres on the servers' core or on `cores`; the milliseconds until it is ready to answer. */
  async start(cores) {
    const log = join(this.folder, 'tollgate.log');
    const [program, ...before] = [...(this.under ?? []), this.binary];
    this.child = start(program, [...before, 'serve'], { env: this.env, log: openSync(log, 'a'), cwd: this.folder, cores });
    return readyAfter(`${this.url}/readyz`, this.child, READY_WITHIN_MS)
      .catch((error) => { throw new Error(`${error.message}; its log ends:\n${readFileSync(log, 'utf8').slice(-2000)}`); });
  }

  async stop() {
    if (this.child) await stop(this.child);
    this.child = undefined;
  }

  /** Its folder, and the cluster where that lies elsewhere (as root, below a folder that Postgres' user can't enter). */
  remove() {
    const cluster = join(this.env.TOLLGATE_DATA_DIR, 'postgres');
    if (existsSync(cluster)) rmSync(realpathSync(cluster), { recursive: true });
    rmSync(this.folder, { recursive: true, force: true });
  }

  get pid() { return this.child.pid; }

  /** Runs a command of the binary beside the server. */
  run(args, input) {
    const { status, stdout, stderr } = spawnSync(this.binary, args, { env: { ...process.env, ...this.env }, cwd: this.folder, input, encoding: 'utf8' });
    if (status !== 0) throw new Error(`tollgate ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  createKey(api, name, ...permissions) {
    const granted = permissions.flatMap((permission) => ['--permission', permission]);
    return JSON.parse(this.run(['key', 'create', '--account', EMAIL, '--api', api, '--name', name, ...granted, '--json']));
  }

  /** An operator. */
  operator() {
    this.run(['admin', 'create', '--email', EMAIL, '--name', 'Bench', '--password-stdin'], `${PASSWORD}\n`);
  }

  get password() { return PASSWORD; }

  /** An operator with twenty keys, and the key that a service verifies with. */
  fill() {
    this.operator();
    this.verifier = this.createKey('tollgate', 'verifier', 'keys:verify');
    const keys = Array.from({ length: PAGE_KEYS - 1 }, (_, i) => this.createKey('demo', `bench ${i + 1}`, 'orders:read'));
    this.key = keys[0];
    for (const { id } of [this.verifier, this.key]) {
      this.run(['key', 'set-limit', id, '--limit', String(LIMIT.calls), '--window', String(LIMIT.seconds)]);
    }
  }

  /** `count` further keys of another account, straight into the database; the secrets of those that carry the bench's limit. */
  crowd(count, limited) {
    this.run(['admin', 'create', '--email', CROWD_EMAIL, '--name', 'Crowd', '--password-stdin'], `${PASSWORD}\n`);
    const keys = Array.from({ length: count }, () => ({ id: randomUUID(), secret: secret('demo_live_') }));
    const table = (name, rows) => `copy ${name} from stdin;\n${rows.map((row) => row.join('\t')).join('\n')}\n\\.\n`;
    this.sql(`begin;
      create temporary table crowd (id uuid, hash bytea, start text, n int) on commit drop;
      ${table('crowd', keys.map(({ id, secret }, n) => [id, `\\\\x${createHash('sha256').update(secret).digest('hex')}`, secret.slice(0, 14), n]))}
      insert into keys (id, workspace_id, api_id, name, permissions, created_by, created_at, updated_at)
        select c.id, w.id, p.id, 'crowd ' || c.n, '{orders:read}', a.id, now(), now()
        from crowd c, apis p, accounts a join workspaces w on w.personal_of = a.id where p.slug = 'demo' and a.email = '${CROWD_EMAIL}';
      insert into key_secrets (id, key_id, hash, start, created_at) select gen_random_uuid(), id, hash, start, now() from crowd;
      insert into key_limits (key_id, name, max_calls, window_seconds) select id, 'default', ${LIMIT.calls}, ${LIMIT.seconds} from crowd where n < ${limited};
      commit;`);
    // What a bulk load leaves for Postgres to do would else run later, on the servers' core, while something is measured.
    this.sql('vacuum analyze');
    return keys.slice(0, limited).map((key) => key.secret);
  }

  /** `count` further keys that nobody knows the secrets of. The running server hears nothing of them; its next start reads them. */
  multitude(count) {
    this.sql(`begin;
      set local session_replication_role = replica; -- no triggers: a NOTIFY for each row is not what is measured
      create temporary table multitude on commit drop as select gen_random_uuid() as id, n from generate_series(1, ${count}) n;
      insert into keys (id, workspace_id, api_id, name, permissions, created_by, created_at, updated_at, changed_in)
        select m.id, w.id, p.id, 'one of many ' || m.n, '{orders:read}', a.id, now(), now(), '1'
        from multitude m, apis p, accounts a join workspaces w on w.personal_of = a.id where p.slug = 'demo' and a.email = '${CROWD_EMAIL}';
      insert into key_secrets (id, key_id, hash, start, created_at)
        select gen_random_uuid(), id, sha256(convert_to('one of many ' || n, 'UTF8')), 'demo_live_' || lpad(to_hex(n % 65536), 4, '0'), now() from multitude;
      commit;
      analyze keys; analyze key_secrets;`);
  }

  /** A year of calls: of the first key in every hour, on two routes, and of every other key on each tenth day. Answers how many rows that are. */
  history() {
    return Number(this.sql(`begin;
      set local session_replication_role = replica; -- no triggers: days and hours are written as the rollup would
      create temporary table past on commit drop as
        select k.id, k.workspace_id, k.api_id, r.route, k.id = uuid_of_key as is_asked
        from keys k, (values ('GET /orders'), ('POST /orders')) r (route), (select id as uuid_of_key from keys where name = 'bench 1' limit 1) a
        where k.id = uuid_of_key or r.route = 'GET /orders';
      insert into usage_days (key_id, day, route, outcome, workspace_id, api_id, count, cost)
        select p.id, d, p.route, 'VALID', p.workspace_id, p.api_id, 240, 240
        from past p, generate_series(date_trunc('day', now(), 'UTC') - interval '365 days', date_trunc('day', now(), 'UTC'), '1 day') d
        where p.is_asked or extract(doy from d)::int % 10 = 0;
      insert into usage_hours (key_id, hour, outcome, workspace_id, api_id, count)
        select distinct p.id, h, 'VALID', p.workspace_id, p.api_id, 20
        from past p, generate_series(date_trunc('day', now(), 'UTC') - interval '365 days', date_trunc('hour', now()), '1 hour') h where p.is_asked;
      insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count, cost)
        select p.id, q, p.route, 'VALID', p.workspace_id, p.api_id, 5, 5
        from past p, generate_series(date_trunc('day', now(), 'UTC') - interval '365 days', date_trunc('hour', now()), '15 minutes') q where p.is_asked;
      update usage_rollups set until = greatest(until, date_trunc('hour', now()) + interval '15 minutes');
      commit;
      analyze usage_days; analyze usage_hours; analyze usage_quarters;
      select (select count(*) from usage_days) + (select count(*) from usage_hours) + (select count(*) from usage_quarters);`));
  }

  /** How many verifications are counted in the database as let through. */
  metered() {
    return Number(this.sql(`select coalesce(sum(count), 0) from usage_minutes where outcome = 'VALID'`));
  }

  /** Signs in as a browser without JavaScript does: takes the form from the page, posts it, keeps the cookies. */
  async signIn() {
    const form = await SignInForm.of(this.url);
    const answer = await form.post(EMAIL, PASSWORD);
    if (answer.status < 300 || answer.status > 399 || form.cookies.size === 0) throw new Error(`signing in answered ${answer.status}\n${answer.body.slice(0, 2000)}`);
    return form.cookieHeader;
  }

  /** `count` accounts `NAME-1@example.test` …, proven, with the operator's password, or with none. */
  people(name, count, { withPassword = true } = {}) {
    const [hash, since] = withPassword ? ['a.password_hash', 'now()'] : ['null', 'null'];
    this.sql(`insert into accounts (id, email, email_key, name, password_hash, password_set_at, verified_at, created_at, updated_at)
      select gen_random_uuid(), '${name}-' || n || '@example.test', '${name}-' || n || '@example.test', '${name}', ${hash}, ${since}, now(), now(), now()
      from accounts a, generate_series(1, ${count}) n where a.email = '${EMAIL}';`);
    return Array.from({ length: count }, (_, i) => `${name}-${i + 1}@example.test`);
  }

  /** Runs SQL in the embedded database with Postgres' own client, found through the cluster's pid file. */
  sql(text) {
    const [, , , port, socket] = readFileSync(join(this.env.TOLLGATE_DATA_DIR, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    const { status, stdout, stderr } = spawnSync(psql(), ['-X', '-q', '-tA', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', port, '-U', 'tollgate', '-d', 'tollgate'],
      { input: text, encoding: 'utf8' });
    if (status !== 0) throw new Error(`psql: ${stderr}`);
    return stdout.trim();
  }
}

/** On the path, or where Debian keeps it. */
function psql() {
  const debian = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`) : [];
  return [...process.env.PATH.split(':'), ...debian].map((folder) => join(folder, 'psql')).find(existsSync) ?? 'psql';
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A secret as Tollgate makes them: 30 characters and the checksum of all that precedes. */
function secret(prefix) {
  const body = prefix + Array.from(randomBytes(30), (byte) => BASE62[byte % 62]).join('');
  let crc = ~0;
  for (const byte of Buffer.from(body)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = ~crc >>> 0;
  let sum = '';
  for (let i = 0; i < 6; i++, rest = Math.floor(rest / 62)) sum = BASE62[rest % 62] + sum;
  return body + sum;
}
