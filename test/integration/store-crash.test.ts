import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RecordId } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { context, digestOf, openChildStore, seeded, signal } from './store-child.ts';

const child = join(import.meta.dirname, 'store-child.ts');
const ROUNDS = 5;

type Line = { put?: RecordId; seed?: string; bytes?: number; shredding?: RecordId; shredded?: RecordId };

/** Lets the child work for a while and kills it wherever it is. */
async function loadAndKill(home: string, ms: number): Promise<Line[]> {
  const worker = spawn(process.execPath, [child, 'load', home], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  worker.stdout.on('data', (data) => {
    output += data;
  });
  const first = new Promise((resolve) => worker.stdout.once('data', resolve));
  await first;
  await new Promise((resolve) => setTimeout(resolve, ms));
  const exited = new Promise((resolve) => worker.once('close', resolve));
  worker.kill('SIGKILL');
  await exited;
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

test('what was acknowledged survives kill -9 under load; what was not leaves nothing', {
  timeout: 120_000,
}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-store-crash-'));
  try {
    const live = new Map<RecordId, { seed: string; bytes: number }>();
    const gone = new Set<RecordId>();
    const doubtful = new Set<RecordId>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const line of await loadAndKill(home, 150 + round * 97)) {
        if (line.put !== undefined) live.set(line.put, { seed: line.seed ?? '', bytes: line.bytes ?? 0 });
        if (line.shredding !== undefined) doubtful.add(line.shredding);
        if (line.shredded === undefined) continue;
        gone.add(line.shredded);
        doubtful.delete(line.shredded);
      }
      const store = await openChildStore(home);
      // No crash is taken for an index or a log that was put back.
      assert.deepEqual([store.readiness(), store.condition().index], [{ ready: true }, { state: 'fresh' }]);
      for (const [id, { seed, bytes }] of live) {
        try {
          const read = await digestOf((await store.open(id, {}, context, signal)).body);
          assert.equal(gone.has(id), false, `${id} was destroyed`);
          assert.equal(read, await digestOf(seeded(seed, bytes)));
        } catch (error) {
          if (!isNectarError(error, 'STORE_RECORD_SHREDDED')) throw error;
          assert(gone.has(id) || doubtful.has(id), `${id} was not destroyed by us`);
        }
      }
      const report = await store.scrub(() => undefined);
      // Attempted puts: a leaf, and no receipt.
      for (const finding of report.findings) {
        assert.equal(finding.code, 'STORE_RECORD_UNACCOUNTED');
        assert.equal(live.has(finding.recordId as RecordId), false);
      }
      const named = await blocksNamed(store, await allIds(store));
      const onDisk = (await readdir(join(home, 'store/blocks'), { recursive: true })).filter(
        (name) => name.length > 40,
      );
      assert.deepEqual(new Set(onDisk.map((name) => name.slice(name.lastIndexOf('/') + 1))), named);
      assert.deepEqual(await readdir(join(home, 'store/staging')), []);
      await store.stop();
    }
    assert(live.size > 20, `only ${live.size} puts were acknowledged`);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

type Opened = Awaited<ReturnType<typeof openChildStore>>;

async function allIds(store: Opened): Promise<{ root: Parameters<Opened['blocks']['links']>[0]; bytes: number }[]> {
  const all = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) }, context);
    all.push(...page.records.map((record) => ({ root: record.cid, bytes: record.bytes })));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

async function blocksNamed(store: Opened, records: Awaited<ReturnType<typeof allIds>>): Promise<Set<string>> {
  const named = new Set<string>();
  for (const { root, bytes } of records) {
    if (bytes < 65_000) continue;
    for (const cid of await store.blocks.links(root)) named.add(cid);
  }
  return named;
}
