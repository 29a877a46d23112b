import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import { standardOutput } from '../../../../appliance/telemetry/logger.ts';

// A device that every write to fails with ENOSPC.
const FULL = '/dev/full';

test('a log on a full disk ends nothing, keeps lines within bounds', { skip: !existsSync(FULL) }, () => {
  const full = openSync(FULL, 'w');
  const log = createLogger({ level: 'info' }, standardOutput(full));
  for (let line = 0; line < 20_000; line += 1)
    log.info({ line }, 'a line of a hundred bytes that finds no room where it goes');
  closeSync(full);
});

test('writes what there is room for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-log-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = openSync(join(folder, 'node.log'), 'a');
  createLogger({ level: 'info' }, standardOutput(file)).info({ n: 1 }, 'a line');
  closeSync(file);
  assert.match(readFileSync(join(folder, 'node.log'), 'utf8'), /"n":1,"msg":"a line"\}\n$/);
});
