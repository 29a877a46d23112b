import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The packages that a module loads before its first line runs, through whatever it imports. */
async function packagesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    write: false,
    metafile: true,
  });
  const found = new Set<string>();
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { path, kind, external } of metafile.inputs[file]?.imports ?? []) {
      if (kind !== 'import-statement') continue;
      if (external !== true) waiting.push(path);
      else if (!path.startsWith('node:')) found.add(path);
    }
  }
  return [...found].toSorted();
}

// The library of schemas is 680 files, half of the CPU that a command starts with: it is loaded where there is something to check.
test('get, put and status begin without the libraries that only some of their runs need', async () => {
  // The first makes the lock of a large download.
  assert.deepEqual(await packagesOf('cli/commands/get.ts'), ['classic-level', 'commander']);
  assert.deepEqual(await packagesOf('cli/commands/put.ts'), ['commander']);
  // Scripts ask for the state of a node each minute: neither the chain's library nor the options of a node are needed for it.
  const ofStatus = await packagesOf('cli/commands/status.ts');
  assert.deepEqual(
    ofStatus.filter((name) => name === 'ethers' || name === 'ajv'),
    [],
  );
});
