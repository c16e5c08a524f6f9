// Whether two style sheets say the same to the same browsers: both go through Lightning CSS, which Tailwind brings, and are compared byte for
// byte.
//
//   node scripts/dev/same-css.mjs OURS THEIRS "chrome 123, safari 17.5"
//
// Answers 0 and how long they are, or 1 and the first place where they differ.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { transform } = createRequire(import.meta.url)("lightningcss"); // by NODE_PATH (scripts/env)
const [ours, theirs, browsers] = process.argv.slice(2);

// As Lightning CSS takes them: a byte each for major, minor and patch.
const targets = Object.fromEntries(
  browsers.split(",").map((browser) => {
    const [name, version] = browser.trim().split(/\s+/);
    const [major, minor = 0] = version.split(".").map(Number);
    return [name, (major << 16) | (minor << 8)];
  }),
);

// Twice: what is lowered may be merged with what stands beside it only then. Each time it writes some prefixed declarations once more beside
// those that are there; of equal neighbours one counts.
function normal(path) {
  const once = (code) => transform({ filename: path, code, minify: true, targets }).code;
  const text = Buffer.from(once(once(readFileSync(path)))).toString();
  return text.replace(/(?<=[;{])([^;{}]+)(?:;\1)+(?=[;}])/g, "$1");
}

const [a, b] = [normal(ours), normal(theirs)];
if (a === b) {
  console.log(`same-css: the same (${a.length} bytes)`);
} else {
  const at = [...a].findIndex((letter, i) => letter !== b[i]);
  const from = Math.max(0, (at < 0 ? a.length : at) - 60);
  console.error(`same-css: ${ours} and ${theirs} differ\n  ours:   …${a.slice(from, from + 200)}\n  theirs: …${b.slice(from, from + 200)}`);
  process.exitCode = 1;
}
