// Tollgate beside the bare server: medians of rounds, medians of their ratios, and their table.
import { median } from './machine.mjs';

/** Of two lists of what `wrk` answered, one of each round. */
export function compare({ tollgate: ours, bare: theirs }) {
  const medians = (runs) => Object.fromEntries(['per_second', 'p50_us', 'p99_us', 'server_us_per_request', 'server_busy']
    .map((field) => [field, median(runs.map((run) => run[field]))]));
  // Of each round on its own: what slows the machine for a while slows both.
  const ratio = (field) => median(ours.map((run, round) => run[field] / theirs[round][field]));
  return {
    tollgate: medians(ours), bare: medians(theirs),
    ratio: { throughput: ratio('per_second'), p50: ratio('p50_us'), p99: ratio('p99_us'), server_time: ratio('server_us_per_request') },
  };
}

/** Prints a line for each `{ name, …compare() }`. */
export function table(cases, say) {
  const columns = [40, 12, 12, 8, 15, 15, 17];
  const row = (cells) => say(cells.map((cell, i) => (i ? String(cell).padStart(columns[i]) : String(cell).padEnd(columns[i]))).join(''));
  const pair = (a, b) => `${a}/${b}`;
  const ms = (us) => (us / 1000).toFixed(2);
  say('');
  row(['', 'Tollgate/s', 'bare/s', 'ratio', 'p50 ms', 'p99 ms', 'server µs/call']);
  for (const { name, tollgate: a, bare: b, ratio } of cases) {
    row([name, Math.round(a.per_second), Math.round(b.per_second), ratio.throughput.toFixed(2), pair(ms(a.p50_us), ms(b.p50_us)), pair(ms(a.p99_us), ms(b.p99_us)),
      pair(a.server_us_per_request.toFixed(1), b.server_us_per_request.toFixed(1))]);
  }
  say('');
}
