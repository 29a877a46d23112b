import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadCoding } from '../../appliance/coding/coding-file.ts';
import { codedSegments } from './coding/coded-segments.ts';

test('makes the recorded shards, roots and lengths of each class', () => {
  const vectors = JSON.parse(readFileSync(new URL('coding/shards.json', import.meta.url), 'utf8'));
  assert.deepEqual(codedSegments(loadCoding()), vectors);
});
