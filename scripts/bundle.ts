/**
 * Our TypeScript as it is shipped (Node strips no types below node_modules):
 * dist/nectar-byon.mjs is the CLI of the published package, with its npm packages beside it, and the dist/*-worker.mjs its threads, dist/machine.wasm, dispute.elf, poseidon2.wasm and coding.wasm what they run; dist/verify-audit-proof.mjs needs
 * dist/nectar-byon.mjs is the CLI of the published package, with its npm packages beside it, and the dist/*-worker.mjs its threads, dist/machine.wasm, dispute.elf, poseidon2.wasm and step.json what they run; dist/verify-audit-proof.mjs needs
 * nothing but Node; dist/roles/ROLE/main.mjs is what an image runs, with its npm packages inside; dist/maps/ROLE/ has the source
 * maps of the latter; dist/seccomp/ the profiles that the CLI hands over; dist/hardening/ the checks that it judges by; dist/charts/ the chart that it installs.
 */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { VERSION } from '../cli/version.ts';
import { hostArchitecture } from '../images/base-lock.ts';
import { writeBundle } from '../images/bundle-folder.ts';
import { bundleRole } from '../images/bundle-role.ts';
import { ROLES } from '../images/role-specs.ts';

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

const programs = {
  'nectar-byon': 'cli/main.ts',
  'evm-worker': 'appliance/rollup/evm/evm-worker.ts',
  'block-worker': 'appliance/rollup/execute/block-worker.ts',
  'hash-worker': 'appliance/store/hash-worker.ts',
  'index-worker': 'appliance/store/index-worker.ts',
  'coding-worker': 'appliance/coding/coding-worker.ts',
  'append-worker': 'appliance/audit/append-worker.ts',
  'kzg-worker': 'appliance/rollup/blobs/kzg-worker.ts',
  'proof-worker': 'appliance/rollup/blobs/proof-worker.ts',
  'tracer-worker': 'appliance/rollup/challenge/tracer-worker.ts',
  'solve-worker': 'appliance/rollup/prove/solve-worker.ts',
};
await build({ ...common, entryPoints: programs, packages: 'external', sourcemap: 'linked' });
await build({ ...common, entryPoints: { 'verify-audit-proof': 'scripts/verify-audit-proof.ts' } });
// A bundle that does not start is none: the order in which outside packages load is not that of the sources.
const said = execFileSync(process.execPath, [`${root}/dist/nectar-byon.mjs`, '--version'], { encoding: 'utf8' }).trim();
if (said !== VERSION) throw new Error(`dist/nectar-byon.mjs says ${said}, not ${VERSION}`);
process.stdout.write(`dist: nectar-byon.mjs, verify-audit-proof.mjs ${VERSION}\n`);
for (const name of ['machine.wasm', 'dispute.elf', 'poseidon2.wasm']) {
  cpSync(`${root}/machine/generated/${name}`, `${root}/dist/${name}`);
}
cpSync(`${root}/coding/generated/coding.wasm`, `${root}/dist/coding.wasm`);
// What a step is proved by.
cpSync(`${root}/circuits/generated/step.json`, `${root}/dist/step.json`);
cpSync(`${root}/images/seccomp`, `${root}/dist/seccomp`, { recursive: true, filter: (path) => !path.endsWith('.ts') });

// What `init --target kubernetes` installs.
cpSync(`${root}/charts/nectar-byon`, `${root}/dist/charts/nectar-byon`, { recursive: true });

for (const folder of ['checks', 'profiles', 'standards']) {
  cpSync(`${root}/hardening/${folder}`, `${root}/dist/hardening/${folder}`, { recursive: true });
}

// Images are Linux; elsewhere only the CLI is of use.
if (process.platform === 'linux') {
  for (const role of ROLES) {
    const bundle = await bundleRole(role, hostArchitecture());
    writeBundle(`${root}/dist`, role, bundle);
    const bytes = [...bundle.files.values()].reduce((sum, { length }) => sum + length, 0);
    process.stdout.write(`dist/roles/${role} ${Math.round(bytes / 1024)} KiB\n`);
  }
}
