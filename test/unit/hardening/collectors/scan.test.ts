import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { clinicalNeedles, markerNeedles } from '../../../../hardening/collectors/needles.ts';
import { createScanner } from '../../../../hardening/collectors/scan-bytes.ts';

const MARKER = 'CanaryQ7xR2mZ9aB4kT8vN';

function found(bytes: Buffer, pieceBytes = bytes.length): string[] {
  const scanner = createScanner([...clinicalNeedles(), ...markerNeedles('canary', MARKER)]);
  for (let at = 0; at < bytes.length; at += pieceBytes) scanner.push(bytes.subarray(at, at + pieceBytes));
  assert.equal(scanner.bytes, bytes.length);
  return [...scanner.found].sort();
}

const noise = (length: number): Buffer => randomBytes(length);
const within = (form: Buffer): Buffer => Buffer.concat([noise(1000), form, noise(1000)]);
const swapped = [...MARKER].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()));

test('finds a marker in every form in which a careless program leaves it', () => {
  const forms: Record<string, Buffer> = {
    plain: Buffer.from(MARKER),
    'lower case': Buffer.from(MARKER.toLowerCase()),
    'upper case': Buffer.from(MARKER.toUpperCase()),
    'swapped case': Buffer.from(swapped.join('')),
    reversed: Buffer.from(MARKER).reverse(),
    hex: Buffer.from(Buffer.from(MARKER).toString('hex')),
    'upper-case hex': Buffer.from(Buffer.from(MARKER).toString('hex').toUpperCase()),
    'UTF-16LE': Buffer.from(MARKER, 'utf16le'),
    'UTF-16BE': Buffer.from(MARKER, 'utf16le').swap16(),
    'JSON in a text': Buffer.from(JSON.stringify(JSON.stringify({ id: MARKER }))),
  };
  for (const [name, form] of Object.entries(forms)) assert.deepEqual(found(within(form)), ['canary'], name);
});

test('finds it in base64 of whatever surrounds it, in both alphabets', () => {
  for (let before = 0; before < 12; before += 1) {
    for (let after = 0; after < 4; after += 1) {
      const bytes = Buffer.concat([noise(before), Buffer.from(MARKER), noise(after)]);
      for (const alphabet of ['base64', 'base64url'] as const) {
        assert.deepEqual(found(Buffer.from(bytes.toString(alphabet))), ['canary'], `${before} ${after} ${alphabet}`);
      }
    }
  }
});

test('finds it across the pieces of a stream, wherever they meet', () => {
  const bytes = within(Buffer.from(MARKER));
  for (const pieceBytes of [1, 2, 3, 13, 64, 1010, 1015]) assert.deepEqual(found(bytes, pieceBytes), ['canary']);
});

test('finds clinical data by what its documents begin with, and no letters of chance', () => {
  assert.deepEqual(found(within(Buffer.from('{"resourceType":"Patient"}'))), ['FHIR']);
  assert.deepEqual(found(within(Buffer.from('MSH|^~\\&|LAB|'))), ['HL7']);
  const dicom = (preamble: Buffer): Buffer => Buffer.concat([preamble, Buffer.from('DICM'), noise(100)]);
  assert.deepEqual(found(dicom(Buffer.alloc(128))), ['DICM']);
  assert.deepEqual(found(dicom(noise(128)), 50), ['DICM'], 'with a preamble of its own, at the start of a file');
  assert.deepEqual(found(Buffer.concat([noise(500), dicom(Buffer.alloc(128))])), ['DICM'], 'within another file');
  assert.deepEqual(found(within(Buffer.from('DICM'))), []);
  assert.deepEqual(found(noise(300_000)), []);
});
