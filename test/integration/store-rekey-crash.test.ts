import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RecordId } from '../../protocol/brand.ts';
import { context, digestOf, openChildStore, seeded, signal } from './store-child.ts';
import { fileKeys, rekeyAll } from './store-rekey-child.ts';

const child = join(import.meta.dirname, 'store-rekey-child.ts');
/** Inline, and in blocks of its own. */
const SIZES = [100, 70_000, 1_500_000];
/** started, a leaf for each record, retiring, done. */
const LEAVES = SIZES.length + 3;

type Record = { id: RecordId; seed: string; bytes: number };

async function filled(home: string): Promise<Record[]> {
  const store = await openChildStore(home, 0, { keys: fileKeys(home).keys });
  const records: Record[] = [];
  for (const [i, bytes] of SIZES.entries()) {
    const seed = `record ${i}`;
    const options = { contentType: 'a/b', labels: ['rekeyed'] };
    records.push({ id: (await store.put(options, seeded(seed, bytes), context, signal)).recordId, seed, bytes });
  }
  await store.stop();
  return records;
}

/** Runs the rekey in a process of its own; the signal that ended it. */
function killedAt(home: string, leaf: number, when: string): Promise<string | null> {
  const worker = spawn(process.execPath, [child, home, String(leaf), when], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => worker.once('close', (_code, by) => resolve(by)));
}

test('a rekey that is killed at any leaf, before it or behind it, is finished by the next start and loses nothing', {
  timeout: 240_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), 'nectar-rekey-crash-'));
  try {
    const origin = join(root, 'origin');
    await cp(await mkdtemp(join(root, 'empty-')), origin, { recursive: true });
    const records = await filled(origin);
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      for (const when of ['before', 'after']) {
        const at = `killed ${when} leaf ${leaf}`;
        const home = join(root, `${leaf}-${when}`);
        await cp(origin, home, { recursive: true });
        assert.equal(await killedAt(home, leaf, when), 'SIGKILL', at);
        const store = await rekeyAll(home);
        assert.equal(store.condition().rekey?.state, 'done', at);
        assert.deepEqual([store.readiness(), store.condition().index], [{ ready: true }, { state: 'fresh' }], at);
        const { current, ended } = fileKeys(home).keks();
        assert.deepEqual(
          ended,
          Array.from({ length: current - 1 }, (_, i) => `kek/${i + 1}`),
          at,
        );
        for (const { id, seed, bytes } of records) {
          const { meta, body } = await store.open(id, {}, context, signal);
          assert.equal(await digestOf(body), await digestOf(seeded(seed, bytes)), at);
          assert.equal(meta.kekId, `kek/${current}`, at);
        }
        const report = await store.scrub(() => undefined);
        assert.deepEqual(report.findings, [], at);
        await store.stop();
        const log = await readFile(join(home, 'test-audit.log'), 'utf8');
        assert.match(log, /"phase":"done"/, at);
        await rm(home, { recursive: true });
      }
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
