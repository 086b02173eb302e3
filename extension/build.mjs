// Bundles the widgets into workbench/widgets/static; the same input gives the same bytes anywhere.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "workbench", "widgets", "static");
const common = { bundle: true, minify: true, charset: "utf8", absWorkingDir: here, logLevel: "info" };

await build({
  ...common,
  entryPoints: ["mapping", "program", "passes", "graph", "tune", "timing"].map((name) => `src/widgets/${name}.ts`),
  format: "esm",
  target: "es2022",
  outdir: out,
});
await build({ ...common, entryPoints: ["src/viz/workbench.css"], outdir: out });
// All drawings in one script, which exported pages carry.
await build({ ...common, entryPoints: ["src/standalone.ts"], format: "iife", target: "es2022", outdir: out });
