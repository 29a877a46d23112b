import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEditedText } from '../../../appliance/edited-text.ts';

const little = (text: string) => Buffer.from(text, 'utf16le');
const big = (text: string) => Buffer.from(text, 'utf16le').swap16();
const mark = '\ufeff';

test('the same text, however an editor wrote it', () => {
  for (const text of ['{"a": "ü"}\n', 'correct horse', 'x'])
    for (const bytes of [
      Buffer.from(text),
      Buffer.from(mark + text),
      little(mark + text),
      big(mark + text),
      little(text),
      big(text),
    ])
      assert.equal(decodeEditedText(bytes), text, bytes.toString('hex'));
});

test('a text that begins with letters of another script keeps them', () => {
  for (const text of ['Привет', '漢字', 'é', ''])
    for (const bytes of [Buffer.from(text), Buffer.from(mark + text), little(mark + text), big(mark + text)])
      assert.equal(decodeEditedText(bytes), text, bytes.toString('hex'));
});

test('what is no text is none', () => {
  for (const bytes of [
    Buffer.from('Müller', 'latin1'),
    Buffer.from([0xff, 0xfe, 0x41]),
    Buffer.from([0xff, 0xfe, 0x00, 0xd8]),
    Buffer.from([0x80]),
  ])
    assert.equal(decodeEditedText(bytes), undefined, bytes.toString('hex'));
});
