import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { CHECKPOINT_KEY_BYTES } from '../../../../appliance/crossing/audit-keys/contract.ts';
import { createHeldKeys } from '../../../../appliance/crossing/audit-keys/held-keys.ts';
import { nextBodySecret } from '../../../../protocol/envelope/body-secret.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const der = privateKey.export({ format: 'der', type: 'pkcs8' });
const raw = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
const first = new Uint8Array(32).fill(1);
const second = nextBodySecret(first, () => new Uint8Array(32).fill(2));
const hand = (secret: Uint8Array): Buffer => Buffer.concat([secret, der]);
const mismatch = (error: unknown): boolean => isNectarError(error, 'NODE_KEYS_MISMATCH');

test('a secret of any number of keys comes before the checkpoint key, and both are wiped where they came', () => {
  assert.equal(der.length, CHECKPOINT_KEY_BYTES);
  for (const secret of [first, second]) {
    const keys = createHeldKeys(raw);
    const handed = hand(secret);
    keys.accept(handed);
    assert.deepEqual(keys.derive('audit-body'), secret);
    assert.ok(handed.every((byte) => byte === 0));
  }
});

test('a log that runs goes on by the secret that it began with; one that came after is taken, another one refused', () => {
  const keys = createHeldKeys(raw);
  keys.accept(hand(first));
  keys.accept(hand(second));
  assert.deepEqual(keys.derive('audit-body'), first);
  const newer = createHeldKeys(raw);
  newer.accept(hand(second));
  for (const secret of [first, new Uint8Array(32).fill(3), second.subarray(0, 40), new Uint8Array(0)])
    assert.throws(() => newer.accept(hand(secret)), mismatch);
  assert.throws(() => createHeldKeys(raw).accept(Buffer.alloc(10)), mismatch);
});
