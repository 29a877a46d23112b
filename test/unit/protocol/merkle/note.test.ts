import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { isNectarError } from '../../../../protocol/errors.ts';
import { encodeBase64, parseBase64 } from '../../../../protocol/merkle/base64.ts';
import { encodeCheckpoint, parseCheckpoint, verifyCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { cosignedMessage, encodeTimestampedSignature } from '../../../../protocol/merkle/cosignature.ts';
import { encodeNote, type Note, noteSignature, parseNote, verifyNote } from '../../../../protocol/merkle/note.ts';
import { encodeVerifierKey, parseVerifierKey, SIGNATURE_TYPE } from '../../../../protocol/merkle/verifier-key.ts';
import { VECTORS, vectorRoot } from './vectors.ts';

const { note: vector } = VECTORS;
const key = parseVerifierKey(vector.vkey);
const refuses = (
  code: 'AUDIT_NOTE_INVALID' | 'AUDIT_VKEY_INVALID' | 'AUDIT_CHECKPOINT_INVALID',
  run: () => unknown,
  hint?: string,
): void => assert.throws(run, (error) => isNectarError(error, code), hint);

test('verifies the published example note', () => {
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const signed = `${text}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
  const published = parseVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
  const note = parseNote(signed);
  assert.equal(note.text, text);
  assert.deepEqual(verifyNote(note, [published]), [{ key: published }]);
});

test('signs the note that another implementation signs, byte for byte', () => {
  const sign = (seed: string, vkey: string): Note['signatures'][number] =>
    noteSignature(parseVerifierKey(vkey), ed25519.sign(utf8ToBytes(vector.text), hexToBytes(seed)));
  const mine = sign(vector.seed, vector.vkey);
  assert.equal(encodeNote({ text: vector.text, signatures: [mine] }), vector.signed);
  assert.equal(
    encodeNote({ text: vector.text, signatures: [mine, sign(vector.otherSeed, vector.otherVkey)] }),
    vector.signedByBoth,
  );
  assert.equal(encodeVerifierKey(key), vector.vkey);
});

test('accepts a note of several signers by the key that it knows', () => {
  const other = parseVerifierKey(vector.otherVkey);
  const note = parseNote(vector.signedByBoth);
  assert.equal(verifyNote(note, [key]).length, 1);
  assert.equal(verifyNote(note, [other]).length, 1);
  assert.equal(verifyNote(note, [key, other]).length, 2);
  refuses('AUDIT_NOTE_INVALID', () => verifyNote(note, []));
});

test('refuses a checkpoint with any byte of it changed in any bit', () => {
  const bytes = Buffer.from(vector.signed);
  for (let i = 0; i < bytes.length; i++) {
    for (const bit of [1, 4, 32, 128]) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ bit;
      assert.throws(
        () => verifyCheckpoint(changed.toString('utf8'), key),
        (error) => isNectarError(error),
        `byte ${i}, bit ${bit}`,
      );
    }
    assert.throws(
      () => verifyCheckpoint(bytes.subarray(0, i).toString('utf8'), key),
      (error) => isNectarError(error),
      `cut at ${i}`,
    );
  }
});

test('refuses a note whose known key has a wrong signature, even beside a right one', () => {
  const other = parseVerifierKey(vector.otherVkey);
  const note = parseNote(vector.signedByBoth);
  const [first, second] = note.signatures as [Note['signatures'][number], Note['signatures'][number]];
  refuses('AUDIT_NOTE_INVALID', () =>
    verifyNote({ text: note.text, signatures: [first, { ...second, signature: first.signature }] }, [key, other]),
  );
  refuses('AUDIT_NOTE_INVALID', () =>
    verifyNote({ text: note.text, signatures: [{ ...first, signature: first.signature.slice(1) }] }, [key]),
  );
});

test('refuses malformed notes', () => {
  const line = vector.signed.slice(vector.signed.lastIndexOf('\n\n') + 2);
  const bad = [
    '',
    '\n',
    'text\n',
    `text\n${line}`,
    `text\n\n${line.slice(0, -1)}`,
    `te\u0001xt\n\n${line}`,
    `text\n\n${line} x\n`,
    `text\n\n${line.replace('\u2014', '-')}`,
    `${'a'.repeat(70_000)}\n\n${line}`,
    `text\n\n${line.repeat(65)}`,
    `text\n\n\u2014 name AAAA\n`,
  ];
  for (const text of bad) refuses('AUDIT_NOTE_INVALID', () => parseNote(text), text.slice(0, 40));
});

test('refuses verifier keys that are malformed or whose hash does not fit', () => {
  const bad = [
    '',
    'a+b+c',
    vector.vkey.replace('+', '-'),
    vector.vkey.replace(/\+(.)/, (_, c: string) => `+${c === '0' ? '1' : '0'}`),
    `x${vector.vkey}`,
    `${vector.vkey.slice(0, -1)}`,
    vector.vkey.replace('nectar', 'nec tar'),
  ];
  for (const text of bad) refuses('AUDIT_VKEY_INVALID', () => parseVerifierKey(text), text);
  refuses('AUDIT_VKEY_INVALID', () => encodeVerifierKey({ ...key, name: 'two words' }));
});

test('verifies a cosignature of a witness with its time', () => {
  const seed = hexToBytes(vector.otherSeed);
  const witness = {
    name: 'witness.example/w1',
    type: SIGNATURE_TYPE.cosignature,
    publicKey: ed25519.getPublicKey(seed),
  };
  const timestamp = 1_679_315_147;
  const own = parseNote(vector.signed);
  const cosign = (time: number): Note => ({
    text: own.text,
    signatures: [
      ...own.signatures,
      noteSignature(
        witness,
        encodeTimestampedSignature({
          timestamp: time,
          signature: ed25519.sign(cosignedMessage(own.text, timestamp), seed),
        }),
      ),
    ],
  });
  const encoded = encodeNote(cosign(timestamp));
  assert.deepEqual(verifyCheckpoint(encoded, key, [parseVerifierKey(encodeVerifierKey(witness))]).signatures[1], {
    key: witness,
    timestamp,
  });
  assert.equal(verifyCheckpoint(encoded, key).signatures.length, 1);
  refuses('AUDIT_NOTE_INVALID', () => verifyNote(cosign(timestamp + 1), [witness]));
  refuses('AUDIT_CHECKPOINT_INVALID', () =>
    verifyCheckpoint(encodeNote({ text: own.text, signatures: cosign(timestamp).signatures.slice(1) }), key, [witness]),
  );
});

test('parses the checkpoint of the C2SP documents and its cosignature', () => {
  const published =
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
    '\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
    '\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';
  const note = parseNote(published);
  const checkpoint = parseCheckpoint(note.text);
  assert.equal(checkpoint.origin, 'example.com/behind-the-sofa');
  assert.equal(checkpoint.size, 20_852_163);
  assert.equal(encodeCheckpoint(checkpoint), note.text);
  assert.equal(encodeNote(note), published);
  assert.equal(note.signatures[1]?.signature.length, 72);
});

test('verifies a checkpoint and refuses one of another origin', () => {
  const checkpoint = verifyCheckpoint(vector.signed, key);
  assert.deepEqual(
    { size: checkpoint.size, root: checkpoint.root, origin: checkpoint.origin },
    { size: 70_000, root: vectorRoot(70_000), origin: vector.name },
  );
  const text = encodeCheckpoint({ ...checkpoint, origin: 'elsewhere.example' });
  const moved = encodeNote({
    text,
    signatures: [noteSignature(key, ed25519.sign(utf8ToBytes(text), hexToBytes(vector.seed)))],
  });
  refuses('AUDIT_CHECKPOINT_INVALID', () => verifyCheckpoint(moved, key));
});

test('refuses malformed checkpoint texts', () => {
  const root = encodeBase64(vectorRoot(1));
  for (const text of [
    `\n1\n${root}\n`,
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n1e3\n${root}\n`,
    `o\n9007199254740993\n${root}\n`,
    `o\n1\nAAAA\n`,
    `o\n1\n${root}`,
    `o\n1\n${root}\n\n`,
    'o\n1\n',
  ]) {
    assert.throws(
      () => parseCheckpoint(text),
      (error) => isNectarError(error),
      text,
    );
  }
  assert.equal(parseCheckpoint(`o\n0\n${root}\nextension\n`).size, 0);
});

test('encodes base64 as Node does and parses only the canonical form', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 7) & 255);
    assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'));
    assert.deepEqual(parseBase64(encodeBase64(bytes)), bytes);
  }
  for (const text of ['A', 'AA', 'AB==', 'AAA', 'A===', 'AA==AA==', 'AA=A', 'AAB=', 'AA-_', ' AAA', '===='])
    refuses('AUDIT_NOTE_INVALID', () => parseBase64(text), text);
});
