import assert from 'node:assert/strict';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDisk, type Disk, type WholeFile } from '../../../../appliance/audit/disk.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { appendMany, createLogHouse, reading } from './log-house.ts';

/** A disk that can be filled: writes leave half of their bytes and fail, as a real one does. */
function createFillingDisk(folder: string): Disk & { full: boolean; code: string } {
  const disk = createDisk(folder);
  const filling = {
    ...disk,
    full: false,
    code: 'ENOSPC',
    async openAppend(path: string, length: number) {
      const file = await disk.openAppend(path, length);
      return {
        close: () => file.close(),
        async write(bytes: Uint8Array, at: number) {
          if (!filling.full) return file.write(bytes, at);
          await file.write(bytes.subarray(0, bytes.length / 2), at);
          throw Object.assign(new Error(filling.code), { code: filling.code });
        },
      };
    },
    async replace(files: readonly WholeFile[]) {
      if (filling.full) throw Object.assign(new Error(filling.code), { code: filling.code });
      return disk.replace(files);
    },
  };
  return filling;
}

test('refuses appends on a full disk, and goes on without a gap when space returns', async (t) => {
  const house = await createLogHouse(t);
  const disk = createFillingDisk(house.folder);
  const audit = await house.open({}, { disk });
  await appendMany(audit, 250);
  disk.full = true;
  const refused = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => audit.append(reading(i))));
  for (const result of refused)
    assert.ok(result.status === 'rejected' && isNectarError(result.reason, 'NODE_DISK_FULL'));
  assert.equal(audit.readiness().ready, false);
  assert.equal(audit.treeHead().size, 250);
  await assert.rejects(
    audit.entry(0, { actor: { subject: 's' }, requestId: 'r' }),
    (error) => isNectarError(error, 'NODE_DISK_FULL'),
    'nothing is read that cannot be logged',
  );
  disk.full = false;
  const appended = await appendMany(audit, 300, 250);
  assert.equal(appended[0]?.index, 250);
  assert.equal(audit.readiness().ready, true);
  const verdict = await audit.verify({ anchors: [] });
  assert.deepEqual([verdict.integrity, verdict.size, verdict.findings], ['ok', 550, []]);
});

test('loses nothing when the disk is full at the end of a bundle, and the node dies', async (t) => {
  const house = await createLogHouse(t);
  const disk = createFillingDisk(house.folder);
  const audit = await house.open({}, { disk });
  await appendMany(audit, 255);
  await assert.doesNotReject(audit.append(reading(255)));
  disk.full = true;
  await assert.rejects(audit.append(reading(256)));
  const again = await house.open();
  assert.equal(again.treeHead().size, 257, 'the log, and the event that tells of the torn write');
  const [last] = (await again.query({ filter: {}, limit: 1 }, { actor: { subject: 's' }, requestId: 'r' })).entries;
  assert.equal(last?.leaf.type, 'audit.recover');
  assert.equal((await again.verify({ anchors: [] })).integrity, 'ok');
});

test('names a disk error that is not about space', async (t) => {
  const house = await createLogHouse(t);
  const disk = createFillingDisk(house.folder);
  const audit = await house.open({}, { disk });
  disk.code = 'EIO';
  disk.full = true;
  await assert.rejects(audit.append(reading(0)), (error) => isNectarError(error, 'AUDIT_NOT_WRITABLE'));
});

test('removes what a torn write left, at whatever byte it tore, and records that it did', async (t) => {
  const house = await createLogHouse(t);
  const first = await house.open();
  await appendMany(first, 3);
  await first.stop();
  const path = join(house.folder, 'bodies/000');
  const whole = await readFile(path);
  let size = 3;
  for (const bytes of [1, 3, 4, 17, 50, 51, 300, whole.length - 1]) {
    await appendFile(path, whole.subarray(0, bytes));
    const audit = await house.open();
    size += 1;
    assert.equal(audit.treeHead().size, size, `torn at ${bytes}`);
    assert.equal((await audit.verify({ anchors: [] })).integrity, 'ok', `torn at ${bytes}`);
    await audit.stop();
  }
  const last = await house.open();
  const [entry] = (await last.query({ filter: {}, limit: 1 }, { actor: { subject: 's' }, requestId: 'r' })).entries;
  assert.match(JSON.stringify(entry?.body), /tornBytes/);
});

test('refuses more appends than may wait', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open({
    config: { checkpointEveryLeaves: 1024, retentionDays: 0, maxPendingAppends: 8, maxBodyBytes: 65536 },
  });
  const results = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => audit.append(reading(i))));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 8);
  assert.ok(
    results
      .slice(8)
      .every((result) => result.status === 'rejected' && isNectarError(result.reason, 'AUDIT_NOT_WRITABLE')),
  );
});
