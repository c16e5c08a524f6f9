// `make bench`: runs the cases that BENCH_CASES names, one after the other, each with servers of its own, and writes what they measured
// to one file. A case is a module with `measure(bench)`, which answers plain data, and `report(result, say)`, which prints it.
import { chmodSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as gate from './gate.mjs';
import * as instructions from './instructions.mjs';
import * as lighthouse from './lighthouse.mjs';
import { freePort, readyAfter, start, stop } from './machine.mjs';
import * as metering from './metering.mjs';
import * as million from './million.mjs';
import * as nginx from './nginx.mjs';
import * as signIn from './sign_in.mjs';
import * as sizes from './sizes.mjs';
import * as timing from './timing.mjs';
import { Tollgate } from './tollgate.mjs';
import * as usage from './usage.mjs';

const CASES = { gate, nginx, 'sign-in': signIn, timing, million, metering, usage, sizes, instructions, lighthouse };

const [, , tollgateBinary, bareBinary, outputFile] = process.argv;
const setting = (name, preset) => Number(process.env[name] ?? preset);
const settings = {
  rounds: setting('BENCH_ROUNDS', 9),
  seconds: setting('BENCH_SECONDS', 5),
  connections: setting('BENCH_CONNECTIONS', 32),
  keys: setting('BENCH_KEYS', 100_000),
  many_keys: setting('BENCH_MANY_KEYS', 1_000_000),
  samples: setting('BENCH_SAMPLES', 10_000),
};
const say = (text) => console.log(text);

/** A place for the files of a case, and servers that end with it. */
class Bench {
  settings = settings;
  say = say;
  #ends = [];

  constructor(folder) { this.folder = folder; }

  /** Tollgate in a data folder of its own, not started yet; `variables` are settings beside the usual ones. */
  async product(name, variables = {}) {
    const tollgate = new Tollgate(tollgateBinary, this.makeFolder(name), await freePort(), variables);
    this.ends(async () => { await tollgate.stop(); tollgate.remove(); });
    return tollgate;
  }

  /** The bare server, ready, with `answers` to `{ method, path }`: what `call` gave, less what hyper writes itself. */
  async bare(name, answers, under = []) {
    const own = new Set(['date', 'content-length', 'connection', 'transfer-encoding']);
    const file = join(this.makeFolder(`${name}-bare`), 'answers.json');
    const given = answers.map(({ method, path, answer }) => ({ method, path, headers: answer.headers.filter(([field]) => !own.has(field)), body: answer.body }));
    writeFileSync(file, JSON.stringify([...given, { method: 'GET', path: '/ready', headers: [], body: '' }]));
    const port = await freePort();
    const [program, ...before] = [...under, bareBinary];
    const child = this.start(name, program, [...before, `127.0.0.1:${port}`, file]);
    await readyAfter(`http://127.0.0.1:${port}/ready`, child, 60_000);
    return { port, pid: child.pid, url: `http://127.0.0.1:${port}` };
  }

  /** A program on the servers' core, with its output in a file of the case. */
  start(name, program, args, options = {}) {
    const child = start(program, args, { log: openSync(join(this.folder, `${name}.log`), 'a'), ...options });
    this.ends(() => stop(child));
    return child;
  }

  makeFolder(name) {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    return folder;
  }

  /** `end` runs when the case is over, the latest first. */
  ends(end) { this.#ends.unshift(end); }

  async close() {
    for (const end of this.#ends) await end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Cases by name; scripts/bench writes out the set `issue`, since it gets what they need. */
function chosen() {
  const names = (process.env.BENCH_CASES || 'gate nginx').split(/\s+/).filter(Boolean);
  if (process.env.BENCH_MILLION === '1' && !names.includes('million')) names.push('million');
  const unknown = names.filter((name) => !(name in CASES));
  if (unknown.length) throw new Error(`there is no case ${unknown.join(', ')}; there are: ${Object.keys(CASES).join(', ')}`);
  return names;
}

const results = {};
for (const name of chosen()) {
  const folder = mkdtempSync(join(tmpdir(), `tollgate-bench-${name}-`));
  chmodSync(folder, 0o755); // as root, the embedded Postgres and nginx run as other users
  const bench = new Bench(folder);
  say(`\n${name}: Tollgate ${tollgateBinary}`);
  try {
    results[name] = await CASES[name].measure(bench);
  } finally {
    await bench.close();
  }
  CASES[name].report(results[name], say);
}
mkdirSync(join(outputFile, '..'), { recursive: true });
// What `gate` measures stands at the top, where it always stood.
const { gate: first, ...others } = results;
writeFileSync(outputFile, `${JSON.stringify({ ...first, ...others }, null, 2)}\n`);
say(`\nwritten to    ${outputFile}`);
