// The case `instructions`: how many instructions a verification takes, counted by valgrind's callgrind, and where; and how many the bare
// server takes for the same. Counts hardly depend on the machine's load: what a change costs shows where throughput still scatters.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'node:http';
import { call } from './machine.mjs';

const CALLS = 2000;
const WARM = 300;
const SHOWN = 25;
/** Which crate a function is of, by its name; of an implementation, the type's. */
const part_of = (name) => name.match(/^[<&*\s]*(?:mut |dyn )?([a-z_0-9]+)/)?.[1] ?? '';
const HTTP = new Set(['hyper', 'hyper_util', 'tokio', 'http', 'http_body_util', 'httparse', 'bytes', 'mio', 'axum', 'axum_core', 'tower', 'atomic_waker', 'futures_util', 'parking_lot']);
const JSON_TEXT = new Set(['serde', 'serde_core', 'serde_json', 'itoa']);
const kind = (part) => (part === 'tollgate' ? 'own' : HTTP.has(part) ? 'http' : JSON_TEXT.has(part) ? 'json' : 'rest');
const PARTS = [
  ['Tollgate itself', (part) => kind(part) === 'own'],
  ['HTTP and the runtime', (part) => kind(part) === 'http'],
  ['JSON', (part) => kind(part) === 'json'],
  ['memory, text, system calls, the standard library', (part) => kind(part) === 'rest'],
];

export async function measure(bench) {
  const folder = bench.makeFolder('counts');
  const tollgate = await bench.product('instructions');
  await tollgate.start();
  tollgate.fill();
  const path = '/api/v1/keys/verify';
  const request = {
    method: 'POST', headers: { Authorization: `Bearer ${tollgate.verifier.secret}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ key: tollgate.key.secret, api: 'demo', permission: 'orders:read', route: 'GET /orders' }),
  };
  const answer = await call(tollgate.url + path, request);
  await tollgate.stop();
  tollgate.under = callgrind(folder, 'tollgate');
  await tollgate.start();
  const ours = await count(folder, 'tollgate', tollgate.pid, tollgate.url + path, request);
  await tollgate.stop();
  const bare = await bench.bare('instructions', [{ method: 'POST', path, answer }], callgrind(folder, 'bare'));
  const theirs = await count(folder, 'bare', bare.pid, bare.url + path, request);
  return { calls: CALLS, tollgate: ours, bare: theirs };
}

/** What stands before the program: it runs uncounted until it is told to count. */
const callgrind = (folder, name) =>
  ['valgrind', '--tool=callgrind', '--instr-atstart=no', '--collect-atstart=yes', '--quiet', `--callgrind-out-file=${join(folder, `${name}.%p`)}`];

async function count(folder, name, pid, url, request) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (times) => {
    for (let n = 0; n < times; n++) {
      const { status } = await call(url, { ...request, agent });
      if (status !== 200) throw new Error(`${name} answered ${status}`);
    }
  };
  await ask(WARM);
  control('-i', 'on', pid);
  await ask(CALLS);
  control('-i', 'off', pid);
  control('-d', '', pid);
  agent.destroy();
  // The last dump has what was counted.
  const dump = readdirSync(folder).filter((file) => file.startsWith(`${name}.${pid}`)).sort().at(-1);
  const { stdout } = spawnSync('callgrind_annotate', [join(folder, dump)], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = stdout.split('\n').map((line) => line.match(/^\s*([\d,]+)\s+\([\d. ]+%\)\s+(.*)$/)).filter(Boolean)
    .map(([, instructions, what]) => ({ each: Number(instructions.replaceAll(',', '')) / CALLS, what: what.replace(/^[^:]+:(?!:)/, '').replace(/ \[[^\]]*\]$/, '') }));
  const functions = lines.slice(1);
  const parts = PARTS.map(([part, is]) => [part, functions.filter(({ what }) => is(part_of(what))).reduce((sum, { each }) => sum + each, 0)]);
  return { each: lines[0].each, parts, most: functions.slice(0, SHOWN) };
}

function control(option, value, pid) {
  const { status, stderr } = spawnSync('callgrind_control', [option, value, String(pid)].filter(Boolean), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`callgrind_control: ${stderr}`);
}

export function report({ calls, tollgate, bare }, say) {
  say('');
  say(`instructions  ${Math.round(tollgate.each)} a verification, ${Math.round(bare.each)} of the bare server: ${(tollgate.each / bare.each).toFixed(2)} (${calls} calls on one connection)`);
  for (const [n, [part, each]] of tollgate.parts.entries()) say(`${String(Math.round(each)).padStart(12)}  ${part} (bare: ${Math.round(bare.parts[n][1])})`);
  say('');
  for (const { each, what } of tollgate.most) say(`${String(Math.round(each)).padStart(12)}  ${what.slice(0, 150)}`);
}
