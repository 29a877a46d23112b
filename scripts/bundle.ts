/**
 * dist/: our TypeScript as bundles, for the published package and the images (Node strips no types below node_modules).
 * nectar-byon.mjs is the CLI with its packages beside it; verify-audit-proof.mjs needs nothing but Node.
 */
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { VERSION } from '../cli/version.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const common: BuildOptions = {
  absWorkingDir: root,
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  legalComments: 'none',
  logLevel: 'warning',
};

await build({ ...common, entryPoints: { 'nectar-byon': 'cli/main.ts' }, packages: 'external', sourcemap: 'linked' });
await build({ ...common, entryPoints: { 'verify-audit-proof': 'scripts/verify-audit-proof.ts' } });
process.stdout.write(`dist: nectar-byon.mjs, verify-audit-proof.mjs ${VERSION}\n`);
