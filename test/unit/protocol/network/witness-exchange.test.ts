import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeWitnessAnswer,
  isWitnessRecall,
  parseWitnessAnswer,
} from '../../../../protocol/network/witness-exchange.ts';

test('what a witness knows is told to the member whose log it is, within bounds', () => {
  const notes = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(400));
  const told = parseWitnessAnswer(encodeWitnessAnswer({ type: 'known', notes }));
  assert.ok(told.type === 'known' && told.notes.length < 16);
  assert.deepEqual(told.notes, notes.slice(0, told.notes.length));
  assert.deepEqual(parseWitnessAnswer(encodeWitnessAnswer({ type: 'known', notes: [] })), { type: 'known', notes: [] });
  const many = Uint8Array.from([4, ...Buffer.from(Array(17).fill('a').join('\0'))]);
  assert.throws(() => parseWitnessAnswer(many), { code: 'NETWORK_MESSAGE_INVALID' });
  assert.equal(isWitnessRecall(Buffer.from('newest\n')), true);
  assert.equal(isWitnessRecall(Buffer.from('newest')), false);
});
