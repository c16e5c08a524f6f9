// Lays out the site that the server serves: names with a hash of the content, so that browsers may keep them for ever, and
// compressed twins. Names and hash.txt are those of cargo-leptos (hash-files), which Leptos reads when it renders a page.
//
//   node scripts/site.mjs WORK PUBLIC OUT [--compress]
//
// reads WORK/pkg (wasm-bindgen's output), WORK/tollgate.css and PUBLIC (icons, fonts); writes OUT/site and OUT/hash.txt.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [work, assets, out, compress] = process.argv.slice(2);
const site = join(out, "site");
const pkg = join(site, "pkg");

mkdirSync(site, { recursive: true });
if (existsSync(assets)) cpSync(assets, site, { recursive: true });
cpSync(join(work, "pkg"), pkg, { recursive: true });
cpSync(join(work, "tollgate.css"), join(pkg, "tollgate.css"));

const hashed = ["js", "wasm", "css"].map((kind) => {
  const name = `tollgate.${kind}`;
  const hash = createHash("md5").update(readFileSync(join(pkg, name))).digest("base64url");
  const newName = `tollgate.${hash}.${kind}`;
  renameSync(join(pkg, name), join(pkg, newName));
  return { kind, name, hash, newName };
});
writeFileSync(join(out, "hash.txt"), hashed.map(({ kind, hash }) => `${kind}: ${hash}\n`).join(""));

// The loader may name the files that were just renamed.
const loader = join(pkg, hashed[0].newName);
writeFileSync(loader, hashed.reduce((text, { name, newName }) => text.replaceAll(name, newName), readFileSync(loader, "utf8")));

if (compress) {
  for (const file of readdirSync(site, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || ![".js", ".wasm", ".css", ".svg", ".txt", ".json"].includes(extname(file.name))) continue;
    const path = join(file.parentPath ?? file.path, file.name);
    const bytes = readFileSync(path);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
}
