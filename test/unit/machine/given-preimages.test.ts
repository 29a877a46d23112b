import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePreimages, openPreimages } from '../../../machine/host/given-preimages.ts';
import { isNectarError } from '../../../protocol/errors.ts';

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const pair = (first: number, second: number): Uint8Array => Buffer.concat([hash(first), hash(second)]);
const NONE = new Uint8Array();

test('a preimage is found under its kind and hash, and under no other', () => {
  const list = encodePreimages([
    { kind: 'header', hash: hash(1), bytes: Uint8Array.of(1) },
    { kind: 'data', hash: hash(1), bytes: Uint8Array.of(2, 2) },
    { kind: 'blob', hash: hash(2), bytes: NONE },
  ]);
  const given = openPreimages({ list, links: NONE });
  assert.deepEqual(given.get('header', hash(1)), Uint8Array.of(1));
  assert.deepEqual(given.getInbox('data', hash(1)), Uint8Array.of(2, 2));
  assert.deepEqual(given.getInbox('blob', hash(2)), NONE);
  assert.equal(given.get('node', hash(1)), undefined);
  assert.equal(given.getInbox('l1-header', hash(1)), undefined);
  assert.equal(given.get('header', hash(2)), undefined);
});

test('accumulators of Inbox are found as a walk back asks for them, beside those that are listed', () => {
  const list = encodePreimages([{ kind: 'accumulator', hash: hash(8), bytes: Uint8Array.of(8) }]);
  const links = Uint8Array.from([pair(3, 0), pair(2, 0xb3), pair(1, 0xb2)].flatMap((each) => [...each]));
  const given = openPreimages({ list, links });
  assert.equal(given.getInbox('accumulator', hash(2)), undefined, 'its turn has not come');
  assert.deepEqual(given.getInbox('accumulator', hash(3)), Uint8Array.from(pair(2, 0xb3)));
  assert.deepEqual(given.getInbox('accumulator', hash(8)), Uint8Array.of(8));
  assert.deepEqual(given.getInbox('accumulator', hash(2)), Uint8Array.from(pair(1, 0xb2)));
  assert.equal(given.getInbox('accumulator', hash(1)), undefined, 'the walk ends where the head has read');
});

test('a list that is cut is refused', () => {
  const list = encodePreimages([{ kind: 'data', hash: hash(1), bytes: Uint8Array.of(1, 2, 3) }]);
  for (let length = 1; length < list.length; length += 1)
    assert.throws(
      () => openPreimages({ list: list.subarray(0, length), links: NONE }),
      (error) => isNectarError(error, 'ROLLUP_MACHINE_INVALID'),
    );
});
