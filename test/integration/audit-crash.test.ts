import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ed25519 } from '@noble/curves/ed25519.js';
import { bodyBundlePath, parseBodyBundle } from '../../appliance/audit/body-bundle.ts';
import { verifyAuditFolder } from '../../appliance/audit/index.ts';
import { leafHash } from '../../protocol/merkle/hash.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../protocol/merkle/verifier-key.ts';

const CHILD = fileURLToPath(new URL('./audit-crash-child.ts', import.meta.url));
const KILLS = 6;
/** Leaves to let a child acknowledge before it is killed: small and large, so that kills fall within groups, tiles and checkpoints. */
const ACKNOWLEDGED_BEFORE_KILL = [1, 40, 300, 7, 520, 110];

/** Runs a child until it has acknowledged `count` leaves, kills it at once, and returns all that it acknowledged. */
async function appendAndKill(folder: string, count: number): Promise<Map<number, string>> {
  const child = spawn(process.execPath, [CHILD, folder, '16'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const acknowledged = new Map<number, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [index, hash] = line.split(' ');
    // A kill may cut the last line short; a leaf whose acknowledgement nobody read in full promises nothing.
    if (index === undefined || hash?.length !== 64) continue;
    acknowledged.set(Number(index), hash);
    if (acknowledged.size === count) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'the child runs until it is killed');
  return acknowledged;
}

async function leafHashes(folder: string, size: number): Promise<string[]> {
  const hashes: string[] = [];
  for (let bundle = 0; bundle * 256 < size; bundle++) {
    const { entries } = parseBodyBundle(await readFile(join(folder, bodyBundlePath(bundle))), bundle);
    hashes.push(...entries.map(({ leaf }) => Buffer.from(leafHash(leaf)).toString('hex')));
  }
  return hashes;
}

test('keeps every acknowledged leaf through kill -9, again and again', { timeout: 60_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-audit-crash-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'audit');
  const publicKey = ed25519.getPublicKey(new Uint8Array(32).fill(5));
  const vkey = encodeVerifierKey({ name: 'nectar.example/crash', type: SIGNATURE_TYPE.ed25519, publicKey });
  const acknowledged = new Map<number, string>();
  for (let kill = 0; kill < KILLS; kill++) {
    for (const [index, hash] of await appendAndKill(folder, ACKNOWLEDGED_BEFORE_KILL[kill] ?? 1)) {
      assert.ok(!acknowledged.has(index), `leaf ${index} was given away twice`);
      acknowledged.set(index, hash);
    }
  }
  // One more start repairs what the last kill left; it appends one leaf, which is acknowledged like the others.
  for (const [index, hash] of await appendAndKill(folder, 1)) acknowledged.set(index, hash);
  const verdict = await verifyAuditFolder({ folder, vkey, bodyKey: new Uint8Array(32).fill(9) });
  assert.equal(verdict.integrity, 'ok', JSON.stringify(verdict.findings));
  assert.equal(verdict.completeness, 'unknown');
  const hashes = await leafHashes(folder, verdict.size);
  for (const [index, hash] of acknowledged) assert.equal(hashes[index], hash, `leaf ${index}`);
  assert.ok(acknowledged.size >= 979);
});
