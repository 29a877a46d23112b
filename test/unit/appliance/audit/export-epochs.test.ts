import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Audit } from '../../../../appliance/audit/index.ts';
import { bundleLines, verifyAuditBundle } from '../../../../protocol/merkle/audit-bundle.ts';
import { appendMany, createLogHouse, type LogHouse } from './log-house.ts';

const SCRIPT = fileURLToPath(new URL('../../../../scripts/verify-audit-proof.ts', import.meta.url));
const context = { actor: { subject: 'auditor' }, requestId: 'r' };
const { signal } = new AbortController();

/** A log of which 15 leaves were lost and declared so: epoch 1 up to leaf 24, then epoch 2. */
async function createTwoEpochs(t: TestContext): Promise<{ house: LogHouse; audit: Audit; first: Audit['treeHead'] }> {
  const house = await createLogHouse(t);
  const older = `${house.folder}-older`;
  let audit = await house.open();
  await appendMany(audit, 25);
  const first = audit.treeHead();
  await audit.stop();
  await cp(house.folder, older, { recursive: true });
  audit = await house.open();
  await appendMany(audit, 15, 25);
  const lost = { ...audit.treeHead(), where: 'AuditAnchor, L2 block 7', at: house.clock };
  await audit.stop();
  await rm(house.folder, { recursive: true });
  await cp(older, house.folder, { recursive: true });
  audit = await house.open();
  await assert.rejects(audit.witnessed(lost));
  await audit.resolve({ context });
  await appendMany(audit, 12, 60);
  return { house, audit, first: () => first };
}

async function exported(audit: Audit, anchors: { size: number; root: never; where: string }[]): Promise<Buffer> {
  const request = { filter: { type: 'record' }, bodies: true, allLeaves: true, anchors };
  const parts: Uint8Array[] = [];
  for await (const part of await audit.export(request, context, signal)) parts.push(part);
  return Buffer.concat(parts);
}

test('a bundle holds entries of both epochs, and continues a head of the first one', async (t) => {
  const { house, audit, first } = await createTwoEpochs(t);
  const head = first();
  const bytes = await exported(audit, [{ ...head, root: head.root as never, where: 'AuditAnchor, L2 block 3' }]);
  const shown = verifyAuditBundle(bundleLines(bytes), { vkey: audit.vkey(), head });
  assert.match(shown.checkpoint.origin, /\/epoch\/2\//);
  assert.equal(shown.completeness.is, 'shown');
  const reads = shown.entries.filter(({ leaf }) => leaf.type === 'record.read').map(({ index }) => index);
  assert.deepEqual([reads.length, reads.some((i) => i < 25), reads.some((i) => i >= 40)], [37, true, true]);
  assert.equal(shown.entries.filter(({ leaf }) => leaf.type === 'audit.epoch').length, 1, 'the gap is in the bundle');

  const file = join(house.folder, '..', 'bundle.ndjson');
  await writeFile(file, bytes);
  const run = (...argv: string[]) => spawnSync(process.execPath, [SCRIPT, file, ...argv], { encoding: 'utf8' });
  const good = run('--vkey', audit.vkey(), '--head', `${head.size}:${head.root}`);
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /same log {3}25 leaves/);
  assert.equal(run('--vkey', audit.vkey(), '--head', `${head.size}:${'ab'.repeat(32)}`).status, 3);
});

test('pages go backwards through both epochs, with a filter and without, and show each entry once', async (t) => {
  const { audit } = await createTwoEpochs(t);
  const all = async (filter: object): Promise<number[]> => {
    const indices: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await audit.query({ filter, limit: 7, ...(cursor === undefined ? {} : { cursor }) }, context);
      // Pages go backwards; the entries of one are in the order of the log.
      indices.unshift(...page.entries.map(({ index }) => index));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return indices;
  };
  const reads = await all({ type: 'record.read' });
  assert.deepEqual([reads.length, reads], [37, reads.toSorted((a, b) => a - b)]);
  assert.equal(new Set(reads).size, 37);
  const size = audit.treeHead().size;
  assert.deepEqual(
    (await all({})).slice(0, size),
    Array.from({ length: size }, (_, i) => i),
  );
  assert.deepEqual((await all({ type: 'audit.lost' })).length, 40 - 26, 'one stands in for each leaf that is lost');
});
