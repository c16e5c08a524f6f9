// The case `lighthouse`: what Lighthouse says of the page for signing in and of the page of keys, with twenty of them and somebody signed in.
// As it comes: a slow phone on a slow network, simulated. The score of speed differs from run to run, so each page is loaded several
// times and the run in the middle counts.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, sleep } from './machine.mjs';

const AIMS = { performance: 95, accessibility: 100, 'best-practices': 100 };
const PAGES = ['/sign-in', '/keys'];
const TIMES = 3;
const CHROMIUM_FLAGS = '--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run';

export async function measure(bench) {
  const { LIGHTHOUSE: program, CHROMIUM: chromium } = process.env;
  if (!program || !chromium) throw new Error('LIGHTHOUSE and CHROMIUM must name the two programs; scripts/bench sets them');
  const tollgate = await bench.product('lighthouse');
  await tollgate.start();
  tollgate.fill();
  await sleep(2000);
  const cookie = await tollgate.signIn();
  const pages = [];
  for (const path of PAGES) {
    const headers = path === '/sign-in' ? {} : { Cookie: cookie }; // whoever is signed in is sent on from there
    const runs = [];
    for (let n = 1; n <= TIMES; n++) runs.push(look(program, chromium, tollgate.url + path, headers, join(bench.folder, `report-${pages.length}-${n}.json`)));
    pages.push({ path, scores: Object.fromEntries(Object.keys(AIMS).map((name) => [name, median(runs.map((run) => run.scores[name]))])), lacks: runs[0].lacks });
  }
  return { version: spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim(), times: TIMES, pages };
}

/** One load of a page: the score of each category, of 100, and the audits that cost some of it. */
function look(program, chromium, url, headers, file) {
  const args = [url, '--quiet', '--output=json', `--output-path=${file}`, `--only-categories=${Object.keys(AIMS).join(',')}`,
    '--no-enable-error-reporting', `--chrome-flags=${CHROMIUM_FLAGS}`, `--extra-headers=${JSON.stringify(headers)}`];
  const { status, stderr } = spawnSync(program, args, { env: { ...process.env, CHROME_PATH: chromium }, encoding: 'utf8', timeout: 180_000 });
  if (status !== 0) throw new Error(`lighthouse ${url}: exit ${status}\n${stderr}`);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (report.runtimeError) throw new Error(`lighthouse ${url}: ${report.runtimeError.message}`);
  const asked = new URL(url).pathname;
  if (new URL(report.finalDisplayedUrl).pathname !== asked) throw new Error(`lighthouse ${url}: it saw ${report.finalDisplayedUrl}`);
  const scores = {};
  const lacks = [];
  for (const [name, category] of Object.entries(report.categories)) {
    scores[name] = Math.round((category.score ?? 0) * 100);
    const costs = category.auditRefs.filter(({ id, weight }) => weight > 0 && report.audits[id].score !== null && report.audits[id].score < 0.9);
    lacks.push(...costs.map(({ id }) => `${id} (${report.audits[id].displayValue ?? report.audits[id].title})`));
  }
  return { scores, lacks };
}

export function report({ version, times, pages }, say) {
  say('');
  say(`lighthouse    ${version}, the middle one of ${times} runs`);
  for (const { path, scores, lacks } of pages) {
    for (const [name, aim] of Object.entries(AIMS)) {
      say(`${path.padEnd(13)} ${name}: ${scores[name]} (at least ${aim}): ${scores[name] >= aim ? 'met' : 'missed'}`);
    }
    if (lacks.length) say(`${''.padEnd(13)} what costs: ${lacks.join('; ')}`);
  }
}
