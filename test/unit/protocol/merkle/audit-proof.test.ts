import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { isNectarError } from '../../../../protocol/errors.ts';
import {
  type AuditLeaf,
  bodyHash,
  encodeAuditLeaf,
  isEventType,
  parseAuditLeaf,
} from '../../../../protocol/merkle/audit-leaf.ts';
import { type AuditProof, verifyAuditProof } from '../../../../protocol/merkle/audit-proof.ts';
import { encodeBase64 } from '../../../../protocol/merkle/base64.ts';
import { encodeCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { merkleRoot } from '../../../../protocol/merkle/compact-range.ts';
import { encodeNote, noteSignature } from '../../../../protocol/merkle/note.ts';
import { proveInclusion } from '../../../../protocol/merkle/prove.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../../../protocol/merkle/verifier-key.ts';

const salt = Uint8Array.from({ length: 32 }, (_, i) => i);
const body = utf8ToBytes('{"who":"somebody"}');
const leafOf = (hash: string): AuditLeaf => ({
  v: 1,
  time: '2026-11-23T06:00:00.000Z',
  type: 'record.read',
  outcome: 'success',
  bodyHash: hash,
});

function makeProof(seedByte = 7): AuditProof {
  const seed = new Uint8Array(32).fill(seedByte);
  const key = { name: 'nectar.example/node', type: SIGNATURE_TYPE.ed25519, publicKey: ed25519.getPublicKey(seed) };
  const leaves = [0, 1, 2, 3, 4].map((i) =>
    encodeAuditLeaf(leafOf(i === 3 ? bodyHash(salt, body) : bodyHash(salt, Uint8Array.of(i)))),
  );
  const text = encodeCheckpoint({ origin: key.name, size: leaves.length, root: merkleRoot(leaves) });
  return {
    v: 1,
    kind: 'nectar-audit-proof',
    index: 3,
    size: leaves.length,
    leaf: Buffer.from(leaves[3] as Uint8Array).toString('utf8'),
    path: proveInclusion(leaves, 3).map(bytesToHex),
    checkpoint: encodeNote({ text, signatures: [noteSignature(key, ed25519.sign(utf8ToBytes(text), seed))] }),
    vkey: encodeVerifierKey(key),
    salt: encodeBase64(salt),
    body: encodeBase64(body),
  };
}

test('verifies a proof with its body, and says whether the key came from outside', () => {
  const proof = makeProof();
  const shown = verifyAuditProof(JSON.parse(JSON.stringify(proof)));
  assert.equal(shown.body, '{"who":"somebody"}');
  assert.equal(shown.leaf.type, 'record.read');
  assert.equal(shown.keyFromOutside, false);
  assert.equal(verifyAuditProof(proof, proof.vkey).keyFromOutside, true);
  const { salt: _salt, body: _body, ...bare } = proof;
  assert.equal(verifyAuditProof(bare).body, undefined);
});

test('refuses a proof that was made under another key than the given one', () => {
  assert.throws(
    () => verifyAuditProof(makeProof(), makeProof(8).vkey),
    (error) => isNectarError(error, 'AUDIT_PROOF_INVALID'),
  );
});

test('refuses a proof with any character of it changed', () => {
  const proof = makeProof();
  const text = JSON.stringify(proof);
  for (let i = 0; i < text.length; i++) {
    const changed = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1);
    let parsed: unknown;
    try {
      parsed = JSON.parse(changed);
    } catch {
      continue;
    }
    assert.throws(
      () => verifyAuditProof(parsed),
      (error) => isNectarError(error),
      `character ${i}: ${changed.slice(i - 5, i + 5)}`,
    );
  }
});

test('refuses proofs of the wrong shape', () => {
  const proof = makeProof();
  const bad: unknown[] = [
    null,
    1,
    [],
    {},
    { ...proof, v: 2 },
    { ...proof, extra: 1 },
    { ...proof, index: '3' },
    { ...proof, index: -1 },
    { ...proof, path: ['00'] },
    { ...proof, path: new Array(60).fill('0'.repeat(64)) },
    { ...proof, salt: undefined },
    { ...proof, size: 4 },
    { ...proof, vkey: 3 },
  ];
  for (const input of bad)
    assert.throws(
      () => verifyAuditProof(input),
      (error) => isNectarError(error, 'AUDIT_PROOF_INVALID'),
      JSON.stringify(input),
    );
});

test('encodes a leaf as canonical JSON and parses only that', () => {
  const hash = bodyHash(salt, body);
  const bytes = encodeAuditLeaf(leafOf(hash));
  assert.equal(
    Buffer.from(bytes).toString(),
    `{"bodyHash":"${hash}","outcome":"success","time":"2026-11-23T06:00:00.000Z","type":"record.read","v":1}`,
  );
  assert.deepEqual(parseAuditLeaf(bytes), leafOf(hash));
  const spellings = [
    ` ${Buffer.from(bytes)}`,
    JSON.stringify(leafOf(hash)),
    '{}',
    'null',
    'x',
    JSON.stringify({ ...leafOf(hash), patient: 'x' }),
    `${Buffer.from(bytes)}`.repeat(9),
  ];
  for (const text of spellings)
    assert.throws(
      () => parseAuditLeaf(utf8ToBytes(text)),
      (error) => isNectarError(error, 'AUDIT_LEAF_INVALID'),
      text.slice(0, 50),
    );
  assert.throws(
    () => parseAuditLeaf(Uint8Array.of(0xff, 0xfe)),
    (error) => isNectarError(error, 'AUDIT_LEAF_INVALID'),
  );
});

test('takes only dotted lower-case words for event types', () => {
  for (const type of ['record.read', 'audit.read', 'key.unlock-failed', 'a.b.c']) assert.ok(isEventType(type), type);
  for (const type of ['read', 'Record.read', 'record.', 'record.read 1', 'record.7f3a', `a.${'b'.repeat(70)}`, ''])
    assert.ok(!isEventType(type), type);
});
