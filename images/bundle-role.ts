import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import type { Architecture } from './base-lock.ts';
import type { ImageRole } from './role-specs.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A role's program: one folder's files, by their path in it, and what they were made of. */
export interface RoleBundle {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Source maps: kept beside the images, not in them. */
  readonly maps: ReadonlyMap<string, Uint8Array>;
  /** Paths of all sources, relative to the repo, with the paths that each imports. */
  readonly sources: Metafile['inputs'];
}

/** The one file of classic-level that is not JavaScript, per processor (glibc builds). */
const LEVEL_PREBUILDS: Record<Architecture, string> = {
  amd64: 'linux-x64/classic-level.node',
  arm64: 'linux-arm64/classic-level.armv8.node',
};

/**
 * Bundles a role with its npm packages, so that an image holds what its role imports and nothing else. Names are kept and code is
 * not minified: who audits an image reads what runs.
 */
export async function bundleRole(role: ImageRole, architecture: Architecture): Promise<RoleBundle> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: {
      main: `images/entry/${role}.ts`,
      ...(role === 'rollup' && {
        'evm-worker': 'appliance/rollup/evm/evm-worker.ts',
        'kzg-worker': 'appliance/rollup/blobs/kzg-worker.ts',
        'block-worker': 'appliance/rollup/execute/block-worker.ts',
        'tracer-worker': 'appliance/rollup/challenge/tracer-worker.ts',
      }),
      ...(role === 'audit' && { 'append-worker': 'appliance/audit/append-worker.ts' }),
      ...(role === 'store' && {
        'hash-worker': 'appliance/store/hash-worker.ts',
        'index-worker': 'appliance/store/index-worker.ts',
        'coding-worker': 'appliance/coding/coding-worker.ts',
      }),
    },
    outdir: 'out',
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Where node_modules is a link, its paths still are those of the repo: they are in the bundle's comments.
    preserveSymlinks: true,
    sourcemap: 'external',
    sourcesContent: true,
    legalComments: 'none',
    define: { 'process.env.NECTAR_BUNDLE_VERSION': JSON.stringify(version) },
    // CommonJS packages call require for Node's own modules; ESM has none.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
    plugins: [besideTheBundle],
    logLevel: 'warning',
  });
  const files = new Map<string, Uint8Array>();
  const maps = new Map<string, Uint8Array>();
  for (const { path, contents } of result.outputFiles) {
    const name = path.slice(join(ROOT, 'out').length + 1);
    (name.endsWith('.map') ? maps : files).set(name, contents);
  }
  for (const [name, source] of Object.entries(nativeFiles(architecture))) {
    if (Object.hasOwn(result.metafile.inputs, source.because)) files.set(name, readFileSync(join(ROOT, source.path)));
  }
  return { files, maps, sources: result.metafile.inputs };
}

function nativeFiles(architecture: Architecture): Record<string, { path: string; because: string }> {
  return {
    'native/classic-level.node': {
      path: `node_modules/classic-level/prebuilds/${LEVEL_PREBUILDS[architecture]}`,
      because: 'node_modules/classic-level/binding.js',
    },
    'machine.wasm': {
      path: 'machine/generated/machine.wasm',
      because: 'appliance/rollup/execute/machine-file.ts',
    },
    'coding.wasm': { path: 'coding/generated/coding.wasm', because: 'appliance/coding/coding-file.ts' },
    'dispute.elf': {
      path: 'machine/generated/dispute.elf',
      because: 'appliance/rollup/challenge/tracer-thread.ts',
    },
    'poseidon2.wasm': {
      path: 'machine/generated/poseidon2.wasm',
      because: 'appliance/rollup/challenge/tracer-thread.ts',
    },
    ...(architecture === 'amd64' && {
      'native/secp256k1.node': {
        path: 'node_modules/secp256k1/prebuilds/linux-x64/secp256k1.glibc.node',
        because: 'node_modules/secp256k1/bindings.js',
      },
    }),
    'native/secp256k1.wasm': {
      path: 'node_modules/tiny-secp256k1/lib/secp256k1.wasm',
      because: 'node_modules/tiny-secp256k1/lib/wasm_path.js',
    },
  };
}

/** Three packages look for a file beside their own sources; in a bundle it lies in native/. */
const besideTheBundle: Plugin = {
  name: 'beside-the-bundle',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\.\/native\/[a-z0-9-]+\.node$/ }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /node_modules\/classic-level\/binding\.js$/ }, () => ({
      contents: "module.exports = require('./native/classic-level.node');",
      loader: 'js',
    }));
    onLoad({ filter: /node_modules\/secp256k1\/bindings\.js$/ }, () => ({
      // Where the image has no such file this fails, and recovery goes by WebAssembly.
      contents: "module.exports = require('./lib')(new (require('./native/secp256k1.node').Secp256k1)());",
      loader: 'js',
    }));
    onLoad({ filter: /node_modules\/tiny-secp256k1\/lib\/wasm_path\.js$/ }, () => ({
      contents:
        "import { fileURLToPath } from 'node:url';\n" +
        "export const path = (name) => fileURLToPath(new URL('./native/' + name, import.meta.url));",
      loader: 'js',
    }));
  },
};
