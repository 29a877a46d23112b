import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contentRangeLength, parseByteRange, rangeHeader } from '../../../cli/byte-range.ts';
import { isNectarError } from '../../../protocol/errors.ts';

test('reads the three forms', () => {
  assert.equal(rangeHeader(parseByteRange('0-99')), 'bytes=0-99');
  assert.equal(rangeHeader(parseByteRange('100-')), 'bytes=100-');
  assert.equal(rangeHeader(parseByteRange('-50')), 'bytes=-50');
  assert.equal(rangeHeader(parseByteRange('7-7')), 'bytes=7-7');
});

test('refuses what is not one range', () => {
  for (const text of [
    '',
    '-',
    '-0',
    '5',
    '9-1',
    '0-1,4-5',
    'a-b',
    ' 0-1',
    '0-1 ',
    '--5',
    '1e3-',
    '0x1-2',
    '9999999999999999-',
  ]) {
    assert.throws(
      () => parseByteRange(text),
      (error) => isNectarError(error, 'CLI_USAGE'),
      text,
    );
  }
});

test('any text is a range or a usage error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.match(rangeHeader(parseByteRange(text)), /^bytes=(\d+-\d*|-\d+)$/);
      } catch (error) {
        assert.ok(isNectarError(error, 'CLI_USAGE'));
      }
    }),
  );
});

test('knows how many bytes a partial answer promises', () => {
  assert.equal(contentRangeLength('bytes 0-99/1000'), 100);
  assert.equal(contentRangeLength('bytes 5-5/*'), 1);
  for (const bad of [undefined, '', 'bytes */1000', 'items 0-1/2']) assert.equal(contentRangeLength(bad), undefined);
});
