import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workplace } from './workplace.ts';

/** More than a node takes in before the kill comes. */
const BYTES = 384 * 1024 * 1024;

/** Kills a put once the node has begun it, and runs the same command again: one record, whole, and no note left. */
export async function putKilledAndAgain(
  work: Workplace,
  home: string,
  reads: (recordId: string, expected: Buffer) => Promise<void>,
): Promise<void> {
  const file = work.path('large.bin');
  const bytes = randomBytes(BYTES);
  writeFileSync(file, bytes);
  const args = ['put', file, '--resumable', '--home', home];
  const notes = join(home, 'client', 'uploads');
  const noted = (): boolean => existsSync(notes) && readdirSync(notes).some((name) => name.endsWith('.json'));
  const child = work.spawn(args);
  const ended = new Promise((resolve) => child.once('close', resolve));
  while (!noted() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await ended;
  assert.ok(noted(), 'it was killed before its end');
  const again = await work.run([...args, '--json']);
  assert.equal(again.code, 0, again.stderr);
  await reads((JSON.parse(again.stdout) as { recordId: string }).recordId, bytes);
  assert.equal(noted(), false);
  const { records } = await work.json<{ records: { name?: string }[] }>(['ls', '--home', home]);
  assert.equal(records.filter(({ name }) => name === 'large.bin').length, 1);
}
