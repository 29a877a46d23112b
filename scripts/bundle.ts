/**
 * Our TypeScript as it is shipped (Node strips no types below node_modules):
 * dist/nectar-byon.mjs is the CLI of the published package, with its npm packages outside; dist/roles/ROLE/main.mjs is what an image
 * runs, with its npm packages inside; dist/maps/ROLE/ has the source maps of the latter; dist/seccomp/ the profiles that the CLI hands over.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { hostArchitecture } from '../images/base-lock.ts';
import { writeBundle } from '../images/bundle-folder.ts';
import { bundleRole } from '../images/bundle-role.ts';
import { ROLES } from '../images/role-specs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };

/** A file of its own, imported before the packages that need it: inside the bundle it would run after all outside packages. */
const polyfillFirst: Plugin = {
  name: 'polyfill-first',
  setup({ onResolve }) {
    onResolve({ filter: /\/reflect-metadata\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './reflect-metadata.mjs', external: true },
    );
  },
};

await build({
  absWorkingDir: root,
  entryPoints: { 'nectar-byon': 'cli/main.ts', 'reflect-metadata': 'appliance/gateway/reflect-metadata.ts' },
  plugins: [polyfillFirst],
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
// A bundle that does not start is none: the order in which outside packages load is not that of the sources.
const said = execFileSync(process.execPath, [`${root}/dist/nectar-byon.mjs`, '--version'], { encoding: 'utf8' }).trim();
if (said !== version) throw new Error(`dist/nectar-byon.mjs says ${said}, not ${version}`);
process.stdout.write(`dist/nectar-byon.mjs ${version}\n`);
cpSync(`${root}/images/seccomp`, `${root}/dist/seccomp`, { recursive: true, filter: (path) => !path.endsWith('.ts') });

// Images are Linux; elsewhere only the CLI is of use.
if (process.platform === 'linux') {
  for (const role of ROLES) {
    const bundle = await bundleRole(role, hostArchitecture());
    writeBundle(`${root}/dist`, role, bundle);
    const bytes = [...bundle.files.values()].reduce((sum, { length }) => sum + length, 0);
    process.stdout.write(`dist/roles/${role} ${Math.round(bytes / 1024)} KiB\n`);
  }
}
