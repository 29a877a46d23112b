import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeGroup, parseBodyBundle, type StoredEntry } from '../../../../appliance/audit/body-bundle.ts';
import { createBodySealer } from '../../../../appliance/audit/body-seal.ts';
import { prepareEntry } from '../../../../appliance/audit/event.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { bodyHash, parseAuditLeaf } from '../../../../protocol/merkle/audit-leaf.ts';
import { reading } from './log-house.ts';

const entryArbitrary = fc.record({
  leaf: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  sealed: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
});
const plain = (entries: readonly StoredEntry[]): unknown =>
  entries.map(({ leaf, sealed }) => [[...leaf], sealed && [...sealed]]);

test('round trips groups, and takes whatever is behind the last whole one for a torn write', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(entryArbitrary, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (groups, cut) => {
        let index = 768;
        const encoded = groups.map((group) => {
          const bytes = encodeGroup(index, group);
          index += group.length;
          return bytes;
        });
        const bytes = Buffer.concat(encoded);
        assert.deepEqual(plain(parseBodyBundle(bytes, 3).entries), plain(groups.flat()));
        const last = encoded.at(-1)?.length ?? 0;
        const kept = bytes.length - 1 - (cut % last);
        const torn = parseBodyBundle(bytes.subarray(0, kept), 3);
        assert.deepEqual(plain(torn.entries), plain(groups.slice(0, -1).flat()));
        assert.deepEqual([torn.length, torn.torn], [bytes.length - last, kept - (bytes.length - last)]);
      },
    ),
  );
});

test('does not take a flipped byte in the middle for a torn write', () => {
  const entry = { leaf: Uint8Array.of(1, 2, 3), sealed: Uint8Array.of(4, 5) };
  const first = encodeGroup(0, [entry]);
  const bytes = Buffer.concat([first, encodeGroup(1, [entry])]);
  for (let i = 0; i < first.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.throws(
      () => parseBodyBundle(changed, 0),
      (error) => isNectarError(error, 'AUDIT_BUNDLE_INVALID'),
      `byte ${i}`,
    );
  }
});

test('opens a sealed body only where it belongs, and with no bit changed', () => {
  const sealer = createBodySealer(new Uint8Array(32).fill(1), { sealedAs: () => 'a.example' }, randomBytes);
  const place = { index: 300, leafHash: new Uint8Array(32).fill(3), beginsEpoch: false };
  const open = { salt: new Uint8Array(32).fill(4), body: Buffer.from('body') };
  const sealed = sealer.seal(place, open);
  assert.deepEqual(Buffer.from(sealer.open(place, sealed).body).toString(), 'body');
  const refuses = (run: () => unknown): void =>
    assert.throws(run, (error) => isNectarError(error, 'AUDIT_BODY_INVALID'));
  refuses(() => sealer.open({ ...place, index: 301 }, sealed));
  refuses(() => sealer.open({ ...place, index: 600 }, sealed));
  refuses(() => sealer.open({ ...place, leafHash: new Uint8Array(32) }, sealed));
  refuses(() =>
    createBodySealer(new Uint8Array(32).fill(1), { sealedAs: () => 'b.example' }, randomBytes).open(place, sealed),
  );
  for (let i = 0; i < sealed.length; i++)
    refuses(() => sealer.open(place, Buffer.from(sealed).fill((sealed[i] ?? 0) ^ 1, i, i + 1)));
  for (const length of [0, 12, 40, sealed.length - 1]) refuses(() => sealer.open(place, sealed.subarray(0, length)));
  assert.notDeepEqual(sealer.seal(place, open), sealed, 'a nonce of its own each time');
});

test('writes a leaf whose hash of salt and body is the one that a verifier computes', () => {
  const deps = { origin: 'a.example', maxBodyBytes: 65_536, time: 0, randomBytes };
  const { leaf, salt, body } = prepareEntry(reading(1), deps);
  assert.equal(parseAuditLeaf(leaf).bodyHash, bodyHash(salt, body));
  assert.notEqual(
    parseAuditLeaf(prepareEntry(reading(1), deps).leaf).bodyHash,
    bodyHash(salt, body),
    'a salt of its own each time',
  );
});

test('parses hostile bytes, with a right hash or without, or refuses them as a damaged file', () => {
  const parses = (bytes: Uint8Array): void => {
    try {
      parseBodyBundle(bytes, 0);
    } catch (error) {
      assert.ok(isNectarError(error, 'AUDIT_BUNDLE_INVALID'), String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), parses));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 300 }), (payload, count) => {
      const header = Buffer.alloc(18);
      header.write('NAB1');
      header.writeUInt16BE(count, 12);
      header.writeUInt32BE(payload.length, 14);
      parses(Buffer.concat([header, createHash('sha256').update(header).update(payload).digest(), payload]));
    }),
  );
});
