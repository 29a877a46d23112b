/** dist/nectar-byon.mjs: our TypeScript in one file, for the published package and images (Node strips no types below node_modules). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };

await build({
  absWorkingDir: root,
  entryPoints: { 'nectar-byon': 'cli/main.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  sourcemap: 'linked',
  legalComments: 'none',
  define: { 'process.env.NECTAR_BUNDLE_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
});
process.stdout.write(`dist/nectar-byon.mjs ${version}\n`);
