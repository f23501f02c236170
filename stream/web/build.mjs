// Builds the player into dist/, byte for byte the same wherever it runs; with --tests, the tests into out/.

import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

const settings = {
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  target: "es2022",
};

/** Each of the three runs in a scope of its own. */
async function buildPlayer() {
  await rm(`${here}dist`, { recursive: true, force: true });
  await mkdir(`${here}dist`);
  const scripts = { page: "player/page/main.ts", worker: "player/worker/worker.ts", worklet: "player/worklet/worklet.ts" };
  await build({ ...settings, entryPoints: scripts, outdir: "dist", format: "esm", minifySyntax: true, minifyWhitespace: true });
  await build({ ...settings, entryPoints: ["player/static/style.css"], outdir: "dist", minify: true });
  for (const file of ["index.html", "icon.svg"]) await copyFile(`${here}player/static/${file}`, `${here}dist/${file}`);
}

/** The tests of a folder, each a file of its own. */
async function buildTests(folder) {
  const out = `out/${folder}`;
  await rm(`${here}${out}`, { recursive: true, force: true });
  const tests = (await readdir(`${here}${folder}`)).filter((name) => name.endsWith(".test.ts"));
  const entryPoints = tests.map((name) => `${folder}/${name}`);
  const modules = { format: "esm", platform: "node", packages: "external", outExtension: { ".js": ".mjs" } };
  await build({ ...settings, ...modules, entryPoints, outdir: out });
}

if (process.argv.includes("--tests")) {
  await buildTests("tests");
  await buildTests("browser");
} else {
  await buildPlayer();
}
