// Writes the bill of materials of a build: what the server's binary and the browser's code are made of, as CycloneDX 1.5 JSON.
//
//   node scripts/sbom.mjs OUT
//
// Reads `cargo metadata` as it is locked, once with the features of each of the two parts; without the network, unless a package that
// was never needed here is missing. Checksums come from Cargo.lock. The same lock gives the same bytes. What only builds (build scripts and their dependencies) is in it, too, as "excluded".
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const [out] = process.argv.slice(2);
if (!out) {
  console.error("sbom: node scripts/sbom.mjs OUT");
  process.exit(2);
}

const run = (program, args, errors = "inherit") => execFileSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", errors] });
const cargo = process.env.CARGO ?? "cargo";
const metadata = (...args) => {
  const all = ["metadata", "--format-version", "1", "--locked", ...args];
  try {
    return JSON.parse(run(cargo, [...all, "--offline"], "ignore"));
  } catch {
    return JSON.parse(run(cargo, all));
  }
};
const host = /^host: (.+)$/m.exec(run(process.env.RUSTC ?? "rustc", ["-vV"]))[1];
const parts = [
  { name: "server", features: "ssr", platform: host },
  { name: "browser", features: "hydrate", platform: "wasm32-unknown-unknown" },
];

/** Checksums by `name@version`, as Cargo.lock has them. */
const checksums = new Map(
  readFileSync("Cargo.lock", "utf8")
    .split("[[package]]")
    .map((text) => (name) => new RegExp(`^${name} = "(.*)"$`, "m").exec(text)?.[1])
    .filter((field) => field("checksum"))
    .map((field) => [`${field("name")}@${field("version")}`, field("checksum")]),
);

const purl = (pkg) => `pkg:cargo/${pkg.name}@${pkg.version}`;

/** What people wrote before SPDX expressions were asked for: `MIT/Apache-2.0`. */
const licences = (pkg) =>
  pkg.license ? [{ expression: pkg.license.replaceAll("/", " OR ") }] : [{ license: { name: `in the package: ${pkg.license_file ?? "none named"}` } }];

const components = new Map();
const dependencies = new Map();
let application;

for (const { name, features, platform } of parts) {
  const { packages, resolve } = metadata("--features", features, "--filter-platform", platform);
  const byId = new Map(packages.map((pkg) => [pkg.id, pkg]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  application = byId.get(resolve.root);

  // Two rounds: what ends in the part, then what builds it besides.
  const seen = new Set();
  for (const scope of ["required", "excluded"]) {
    const waiting = [resolve.root];
    const walked = new Set();
    for (let id = waiting.pop(); id; id = waiting.pop()) {
      if (walked.has(id)) continue;
      walked.add(id);
      const pkg = byId.get(id);
      const used = nodes.get(id).deps.filter((dep) =>
        dep.dep_kinds.some(({ kind }) => kind === null || (scope === "excluded" && kind === "build")),
      );
      waiting.push(...used.map((dep) => dep.pkg));
      const on = dependencies.get(purl(pkg)) ?? new Set();
      used.forEach((dep) => on.add(purl(byId.get(dep.pkg))));
      dependencies.set(purl(pkg), on);
      if (id === resolve.root || seen.has(id)) continue;
      seen.add(id);
      const component = components.get(purl(pkg)) ?? { pkg, scope, parts: new Set() };
      if (scope === "required") component.scope = scope;
      component.parts.add(name);
      components.set(purl(pkg), component);
    }
  }
}

const byName = ([a], [b]) => (a < b ? -1 : Number(a > b));
const bom = {
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  version: 1,
  metadata: {
    component: {
      type: "application",
      "bom-ref": purl(application),
      name: application.name,
      version: application.version,
      licenses: licences(application),
      purl: purl(application),
    },
  },
  components: [...components].sort(byName).map(([ref, { pkg, scope, parts }]) => {
    const checksum = checksums.get(`${pkg.name}@${pkg.version}`);
    return {
      type: "library",
      "bom-ref": ref,
      name: pkg.name,
      version: pkg.version,
      scope,
      ...(checksum && { hashes: [{ alg: "SHA-256", content: checksum }] }),
      licenses: licences(pkg),
      purl: ref,
      properties: [...parts].sort().map((value) => ({ name: "tollgate:part", value })),
    };
  }),
  dependencies: [...dependencies].sort(byName).map(([ref, on]) => ({ ref, dependsOn: [...on].sort() })),
};

// A name of this very list: the same lock, the same name (RFC 9562, version 8).
const hash = createHash("sha256").update(JSON.stringify(bom)).digest("hex");
const serial = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
writeFileSync(out, `${JSON.stringify({ bomFormat: bom.bomFormat, specVersion: bom.specVersion, serialNumber: `urn:uuid:${serial}`, ...bom }, null, 2)}\n`);
console.error(`sbom: ${bom.components.length} packages in ${out}`);
