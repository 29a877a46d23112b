import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isNectarError } from '../../../../protocol/errors.ts';
import { parseAuditLeaf } from '../../../../protocol/merkle/audit-leaf.ts';
import { verifyAuditProof } from '../../../../protocol/merkle/audit-proof.ts';
import { parseBase64 } from '../../../../protocol/merkle/base64.ts';
import { parseCheckpoint, verifyCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { parseEntryBundle } from '../../../../protocol/merkle/entry-bundle.ts';
import { parseNote } from '../../../../protocol/merkle/note.ts';
import { parseTilePath } from '../../../../protocol/merkle/tile.ts';
import { parseVerifierKey } from '../../../../protocol/merkle/verifier-key.ts';
import { VECTORS } from './vectors.ts';

/** Whatever comes in, the outcome is a value or an error of the registry. */
function onlyRegistered<T>(parse: (input: T) => unknown): (input: T) => void {
  return (input) => {
    try {
      parse(input);
    } catch (error) {
      assert.ok(isNectarError(error), `${error}`);
    }
  };
}

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }));
const bytes = fc.uint8Array({ maxLength: 300 });
const key = parseVerifierKey(VECTORS.note.vkey);
/** A real text with a part of it replaced: gets further into a parser than random text does. */
const spliced = (real: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(real.length), fc.nat(12), text)
    .map(([at, length, patch]) => real.slice(0, at) + patch.slice(0, 12) + real.slice(at + length));

test('answers hostile texts with a value or a registered error', () => {
  fc.assert(fc.property(text, onlyRegistered(parseBase64)));
  fc.assert(fc.property(text, onlyRegistered(parseTilePath)));
  fc.assert(fc.property(text, onlyRegistered(parseCheckpoint)));
  fc.assert(fc.property(fc.oneof(text, spliced(VECTORS.note.vkey)), onlyRegistered(parseVerifierKey)));
  fc.assert(fc.property(fc.oneof(text, spliced(VECTORS.note.signed)), onlyRegistered(parseNote)));
});

test('verifies no note that was spliced', () => {
  fc.assert(
    fc.property(spliced(VECTORS.note.signed), (changed) => {
      fc.pre(changed !== VECTORS.note.signed);
      try {
        // Further lines of unknown keys are ignored by the specification: what was signed must then be untouched.
        assert.equal(verifyCheckpoint(changed, key).note.text, VECTORS.note.text);
      } catch (error) {
        assert.ok(isNectarError(error), `${error}`);
      }
    }),
    { numRuns: 60 },
  );
});

test('answers hostile bytes and JSON with a value or a registered error', () => {
  fc.assert(fc.property(bytes, onlyRegistered(parseAuditLeaf)));
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 256 }), (input, width) =>
      onlyRegistered((b: Uint8Array) => parseEntryBundle(b, width, 'p'))(input),
    ),
  );
  fc.assert(
    fc.property(
      fc.anything(),
      onlyRegistered((input: unknown) => verifyAuditProof(input)),
    ),
  );
  const shape = {
    v: fc.constant(1),
    kind: fc.constant('nectar-audit-proof'),
    index: fc.anything(),
    size: fc.nat(),
    leaf: text,
    path: fc.array(fc.constant('00'.repeat(32))),
    checkpoint: fc.oneof(text, fc.constant(VECTORS.note.signed)),
    vkey: fc.oneof(text, fc.constant(VECTORS.note.vkey)),
  };
  fc.assert(
    fc.property(
      fc.record(shape),
      onlyRegistered((input: unknown) => verifyAuditProof(input)),
    ),
  );
});
