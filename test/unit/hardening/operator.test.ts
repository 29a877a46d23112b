import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FACT_TYPES, type FactType, type FactValue } from '../../../hardening/fact-type.ts';
import { type Expectation, expectationProblem, expectationWords, holds } from '../../../hardening/operator.ts';

/** Type, expectation, values for which it holds, values for which it does not. */
const CASES: readonly [FactType, Expectation, readonly FactValue[], readonly FactValue[]][] = [
  ['boolean', { op: 'is', value: true }, [true], [false]],
  ['boolean', { op: 'is', value: false }, [false], [true]],
  ['integer', { op: 'equals', value: 2 }, [2], [1, 3, -2]],
  ['integer', { op: 'at-least', value: 2 }, [2, 3], [1, -3]],
  ['integer', { op: 'at-most', value: 2 }, [2, -1], [3]],
  ['integer', { op: 'between', value: [1, 3] }, [1, 2, 3], [0, 4]],
  ['integer', { op: 'one-of', value: [401, 403] }, [401, 403], [200, 402]],
  ['integer', { op: 'none-of', value: [0] }, [1], [0]],
  ['integer', { op: 'bits-within', value: 0o600 }, [0, 0o400, 0o600], [0o640, 0o700, 0o4600, -1, 2 ** 32 + 0o600]],
  ['integer', { op: 'bits-contain', value: 0o077 }, [0o077, 0o177], [0o022, 0o067, -1, 2 ** 32 + 0o077]],
  ['text', { op: 'equals', value: 'lan' }, ['lan'], ['LAN', 'lan ', '']],
  ['text', { op: 'one-of', value: ['', 'info'] }, ['', 'info'], ['debug']],
  ['text', { op: 'none-of', value: ['', 'root'] }, ['nectar'], ['', 'root']],
  ['text', { op: 'empty' }, [''], [' ', 'a']],
  ['text', { op: 'not-empty' }, ['a'], ['']],
  [
    'text',
    { op: 'version-at-least', value: '24.7' },
    ['24.7', '24.7.0', 'v24.10.1', '25', '24.21.0-rc1'],
    ['24.6.9', '9.99', 'v22', '', 'new'],
  ],
  ['text', { op: 'version-at-least', value: '0' }, ['0', '1'], ['', 'latest']],
  ['set', { op: 'empty' }, [[]], [['a']]],
  ['set', { op: 'not-empty' }, [['a']], [[]]],
  ['set', { op: 'equals', value: ['a', 'b'] }, [['b', 'a']], [['a'], ['a', 'b', 'c'], []]],
  ['set', { op: 'equals', value: [] }, [[]], [['a']]],
  ['set', { op: 'within', value: ['a', 'b'] }, [[], ['a'], ['b', 'a']], [['c'], ['a', 'c']]],
  [
    'set',
    { op: 'contains', value: ['a', 'b'] },
    [
      ['a', 'b'],
      ['c', 'b', 'a'],
    ],
    [['a'], []],
  ],
  ['set', { op: 'contains-one-of', value: ['a', 'b'] }, [['a'], ['b', 'c']], [['c'], []]],
  ['set', { op: 'excludes', value: ['a', 'b'] }, [[], ['c']], [['a'], ['c', 'b']]],
];

test('every operator holds for what it means and for nothing else', () => {
  for (const [type, expectation, good, bad] of CASES) {
    for (const value of good) assert.equal(holds(type, expectation, value), true, JSON.stringify([expectation, value]));
    for (const value of bad) assert.equal(holds(type, expectation, value), false, JSON.stringify([expectation, value]));
  }
});

test('every expectation that is used here is one that loads, and has words', () => {
  for (const [type, expectation] of CASES) {
    const value = 'value' in expectation ? expectation.value : undefined;
    assert.equal(expectationProblem(type, expectation.op, value), undefined, JSON.stringify(expectation));
    assert.notEqual(expectationWords(type, expectation), '');
  }
});

test('an operator that does not exist for a type is a problem, and never a silent pass', () => {
  const names = ['exists', 'toString', 'constructor', '__proto__', 'hasOwnProperty', '', 'IS'];
  for (const type of FACT_TYPES) {
    for (const op of names) assert.match(expectationProblem(type, op, true) ?? '', /has no operator/);
    assert.throws(() => holds(type, { op: 'like', value: 'x' } as never, 'x'), /no operator like/);
  }
  assert.match(expectationProblem('boolean', 'at-least', 1) ?? '', /has no operator/);
  assert.match(expectationProblem('integer', 'contains', ['a']) ?? '', /has no operator/);
});

test('an operand that is none for its operator is a problem', () => {
  const wrong: readonly [FactType, string, unknown][] = [
    ['boolean', 'is', 'yes'],
    ['boolean', 'is', undefined],
    ['integer', 'equals', '0'],
    ['integer', 'at-least', 1.5],
    ['integer', 'at-most', Number.NaN],
    ['integer', 'equals', 2 ** 53],
    ['integer', 'between', [3, 1]],
    ['integer', 'between', [1]],
    ['integer', 'one-of', []],
    ['integer', 'bits-within', '0600'],
    ['text', 'equals', null],
    ['text', 'one-of', []],
    ['text', 'one-of', ['a', 'a']],
    ['text', 'empty', ''],
    ['text', 'empty', null],
    ['text', 'version-at-least', 'v24'],
    ['text', 'version-at-least', 24],
    ['set', 'empty', []],
    ['set', 'within', []],
    ['set', 'contains', 'a'],
    ['set', 'excludes', ['a', 1]],
  ];
  for (const [type, op, value] of wrong) {
    assert.match(
      expectationProblem(type, op, value) ?? '',
      /^the operator .* does not take /,
      JSON.stringify([op, value]),
    );
  }
});

test('sets have no order', () => {
  const sets = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
  const operands = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
  const ops = fc.constantFrom('equals', 'within', 'contains', 'contains-one-of', 'excludes');
  fc.assert(
    fc.property(sets, operands, ops, (observed, value, op) => {
      const expectation = { op, value } as Expectation;
      const reversed = { op, value: [...value].reverse() } as Expectation;
      assert.equal(holds('set', expectation, observed), holds('set', reversed, [...observed].reverse()));
    }),
  );
});

test('newer is never older: versions are ordered by their numbers', () => {
  const version = fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(version, fc.nat({ max: 3 }), (parts, at) => {
      const later = parts.map((part, index) => (index === at % parts.length ? part + 1 : part));
      const [older, newer] = [parts.join('.'), later.join('.')];
      assert.equal(holds('text', { op: 'version-at-least', value: older }, newer), true);
      assert.equal(holds('text', { op: 'version-at-least', value: newer }, older), false);
    }),
  );
});
