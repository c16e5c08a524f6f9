// After `cargo bench`: what Criterion measured of the decision against what is aimed at.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const AIMS = [
  ['valid, two limits, one key', 2000],
  ['malformed, decided', 200],
  ['malformed, decided and counted', 200],
];

for (const [name, most] of AIMS) {
  const file = join(process.argv[2], 'decision', name, 'new', 'estimates.json');
  const nanoseconds = JSON.parse(readFileSync(file, 'utf8')).median.point_estimate;
  console.log(`decision      ${name}: ${nanoseconds.toFixed(0)} ns (at most ${most} ns): ${nanoseconds <= most ? 'met' : 'missed'}`);
}
