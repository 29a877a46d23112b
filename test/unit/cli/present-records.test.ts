import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '../../../cli/client.ts';
import { findPresent } from '../../../cli/present-records.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { capture } from './capture.ts';
import { StoringGateway } from './storing-gateway.ts';

test('a second run asks for what it stored in a question for each batch, and stores again what is gone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-present-'));
  const [home, files] = [join(folder, 'home'), join(folder, 'files')];
  mkdirSync(files);
  const gateway = await StoringGateway.start(home);
  t.after(() => {
    gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (let i = 0; i < 130; i++) writeFileSync(join(files, `file-${String(i).padStart(3, '0')}`), `${i}`);
  const put = async () => {
    const { stdout } = await capture(['put', '--home', home, '--json', files]);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.filter((line) => JSON.parse(line).storedBefore === true).length;
  };
  assert.equal(await put(), 0);
  gateway.requests.length = 0;
  assert.equal(await put(), 130);
  assert.deepEqual(gateway.requests, Array(3).fill('POST /v1/records/present'));
  const [gone = ''] = gateway.kept.keys();
  gateway.kept.delete(gone);
  gateway.keys.clear();
  assert.equal(await put(), 129);
  assert.equal(gateway.kept.size, 130);
});

test('only what is present counts, in the version that is meant, and an answer to another question is refused', async () => {
  const states = ['present', 'present', 'absent', 'destroyed', 'lost', 'damaged'] as const;
  const asked = states.map((_, i) => ({ recordId: String(i).repeat(32), version: i === 1 ? 1 : 2 }));
  const records = states.map((state, i) => ({ recordId: asked[i]?.recordId, state, version: 2 }));
  const answering = (value: unknown): Client => ({ json: async () => ({ records: value }) }) as unknown as Client;
  assert.deepEqual([...(await findPresent(answering(records), asked, false))], asked.slice(0, 2));
  assert.deepEqual([...(await findPresent(answering(records), asked, true))], asked.slice(0, 1));
  for (const wrong of [records.slice(1), records.toReversed()])
    await assert.rejects(findPresent(answering(wrong), asked, false), (error) =>
      isNectarError(error, 'CLI_GATEWAY_ANSWER_INVALID'),
    );
});
