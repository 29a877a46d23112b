import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { verifyAuditFolder } from '../../../../appliance/audit/index.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../../../protocol/merkle/verifier-key.ts';
import { appendMany, createLogHouse, ORIGIN, SEED } from './log-house.ts';

const publicKey = ed25519.getPublicKey(SEED);
const vkey = encodeVerifierKey({ name: ORIGIN, type: SIGNATURE_TYPE.ed25519, publicKey });

test('a stopped log is held against the heads that it keeps of those that left: they show a fault, never that there is none', async (t) => {
  const house = await createLogHouse(t);
  const verify = () => verifyAuditFolder({ folder: house.folder, vkey, bodyKey: house.bodyKey.slice() });
  const external = join(house.folder, 'external');
  let audit = await house.open();
  await appendMany(audit, 25);
  await audit.stop();
  const older = `${house.folder}-older`;
  await cp(house.folder, older, { recursive: true });
  audit = await house.open();
  await appendMany(audit, 15, 25);
  await audit.checkpoint();
  await audit.witnessed({ ...audit.treeHead(), where: 'AuditAnchor, L2 block 7', at: house.clock });
  await audit.stop();
  assert.deepEqual(await verify().then((v) => [v.integrity, v.completeness]), ['ok', 'unknown']);

  const kept = await readFile(external);
  for (const at of [0, 20, kept.length >> 1, kept.length - 3]) {
    const bytes = Buffer.from(kept);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(external, bytes);
    assert.equal((await verify()).integrity, 'violated', `byte ${at}`);
  }

  await rm(house.folder, { recursive: true });
  await cp(older, house.folder, { recursive: true });
  await writeFile(external, kept);
  const { completeness, findings } = await verify();
  assert.equal(completeness, 'violated');
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['AUDIT_TRUNCATED'],
  );
});
