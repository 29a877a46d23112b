import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guessContentType } from '../../../cli/content-type.ts';

const bytes = (text: string) => Buffer.from(text);

test('tells FHIR from other JSON', () => {
  assert.equal(guessContentType('a.json', bytes('{ "resourceType" : "Bundle"}')), 'application/fhir+json');
  assert.equal(guessContentType('a.JSON', bytes('{"a":1}')), 'application/json');
});

test('knows DICOM by its magic and by its name, malformed ones too', () => {
  assert.equal(guessContentType('noname', Buffer.concat([Buffer.alloc(128), bytes('DICM')])), 'application/dicom');
  assert.equal(guessContentType('broken.dcm', bytes('')), 'application/dicom');
});

test('falls back to bytes', () => {
  assert.equal(guessContentType('x', bytes('')), 'application/octet-stream');
  assert.equal(guessContentType('x.pdf', bytes('%PDF')), 'application/pdf');
});
