import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { appendMany, createLogHouse } from '../appliance/audit/log-house.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/verify-audit-proof.ts', import.meta.url));
const run = (...argv: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...argv], { encoding: 'utf8' });

test('verifies a proof alone, says what it rests on, and refuses an altered one', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await appendMany(audit, 5);
  const folder = await mkdtemp(join(tmpdir(), 'nectar-proof-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'proof.json');
  const proof = await audit.prove(2, { actor: { subject: 'auditor' }, requestId: 'r' });
  await writeFile(file, JSON.stringify(proof));

  const alone = run(file);
  assert.equal(alone.status, 0, alone.stderr);
  assert.match(alone.stdout, /entry 2 is in the log nectar.example.*as the proof itself states it.*AuditEvent/s);
  const outside = run(file, '--vkey', audit.vkey(), '--json');
  assert.deepEqual(
    [outside.status, JSON.parse(outside.stdout).keyFromOutside, JSON.parse(outside.stdout).size],
    [0, true, 6],
  );

  await writeFile(file, JSON.stringify({ ...proof, leaf: proof.leaf.replace('success', 'failure') }));
  const altered = run(file);
  assert.equal(altered.status, 3);
  assert.match(altered.stderr, /^AUDIT_INCLUSION_INVALID/);
  await writeFile(file, 'not json');
  assert.equal(run(file).status, 3);
  for (const argv of [[], [file, file], ['--nonsense'], [join(folder, 'absent')]])
    assert.equal(run(...argv).status, 2, argv.join(' '));
});

test('imports protocol/ and Node only', async () => {
  const source = await readFile(SCRIPT, 'utf8');
  for (const [, from = ''] of source.matchAll(/from '([^']+)'/g)) assert.match(from, /^(node:|\.\.\/protocol\/)/);
});
