import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { signDescriptor } from '../../../../protocol/network/descriptor.ts';
import { SAMPLE_DESCRIPTOR } from '../../protocol/network/sample-descriptor.ts';
import { capture } from '../capture.ts';

test('says of a devnet that an older version made that it is one, and destroys it when asked', async (t) => {
  const devnet = mkdtempSync(join(tmpdir(), 'nectar-old-devnet-'));
  t.after(() => rmSync(devnet, { recursive: true, force: true }));
  const key = new Uint8Array(32).fill(7);
  const old = JSON.parse(Buffer.from(signDescriptor(SAMPLE_DESCRIPTOR, key)).toString()) as {
    l2: { genesis: Record<string, unknown> };
  };
  delete old.l2.genesis.fork;
  mkdirSync(join(devnet, 'l1'));
  writeFileSync(join(devnet, 'network.json'), JSON.stringify(old));
  writeFileSync(join(devnet, 'faucet.key'), `0x${'07'.repeat(32)}\n`);
  for (const verb of ['up', 'status']) {
    const { code, stderr } = await capture(['devnet', verb, '--devnet', devnet, '--json']);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; remedy: string } };
    assert.deepEqual([code, error.code], [10, 'CLI_DEVNET_OUTDATED']);
    assert.match(error.message, /made by another version .*fork: missing/);
    assert.match(error.remedy, /nectar-byon devnet destroy/);
    assert.ok(existsSync(join(devnet, 'network.json')), 'nothing of it was removed');
  }
  const { code, stderr } = await capture(['devnet', 'destroy', '--yes', '--devnet', devnet]);
  assert.deepEqual([code, existsSync(devnet)], [0, false], stderr);
});
