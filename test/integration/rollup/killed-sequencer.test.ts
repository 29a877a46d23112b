import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChildSpec } from './sequencer-child.ts';
import { createTestNetwork, eventually, freePort, type TestNetwork } from './test-network.ts';

const KILLS = 4;
let network: TestNetwork;
let child: ChildProcess | undefined;

before(async () => {
  network = await createTestNetwork();
});

after(async () => {
  child?.kill('SIGKILL');
  await network?.stop();
});

test('a sequencer killed at any moment never announces two blocks of one height, and posts each once', async () => {
  const spec: ChildSpec = {
    descriptor: network.descriptor,
    databasePath: join(network.folder, 'killed'),
    key: Buffer.from(network.l1.accounts.sequencer.key).toString('hex'),
    databaseKey: randomBytes(32).toString('hex'),
    rpcPort: await freePort(),
  };
  const path = join(network.folder, 'child.json');
  await writeFile(path, JSON.stringify(spec), { mode: 0o600 });
  const announced = new Map<bigint, string>();
  const witness = await network.startFollower('witness');

  for (let kill = 0; kill < KILLS; kill += 1) {
    const program = fileURLToPath(new URL('sequencer-child.ts', import.meta.url));
    const started = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    const blocks: bigint[] = [];
    createInterface(started.stdout).on('line', (line) => {
      const [number = '0', hash = ''] = line.split(' ');
      const height = BigInt(number);
      assert.equal(announced.get(height) ?? hash, hash, `two blocks at height ${height}`);
      announced.set(height, hash);
      blocks.push(height);
    });
    // Somewhere between a build, its signature and a batch: every run is cut at another place.
    const isLast = kill === KILLS - 1;
    await eventually(
      'some blocks',
      () => blocks.length >= 3 + kill * 2 && (!isLast || witness.rollup.heads().safe.number > 0n),
    );
    started.kill('SIGKILL');
    await once(started, 'close');
  }

  const posted = witness.rollup.heads().safe;
  assert.ok(announced.size >= Number(posted.number));
  assert.equal(posted.hash, announced.get(posted.number), 'L1 gives the block that was announced');
  assert.deepEqual(
    [...announced.keys()].sort((a, b) => Number(a - b)),
    Array.from(announced, (_, index) => BigInt(index + 1)),
  );
});
