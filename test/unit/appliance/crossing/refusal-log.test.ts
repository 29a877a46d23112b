import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRefusalLog } from '../../../../appliance/crossing/tls/refusal-log.ts';

function recording() {
  const lines: object[] = [];
  const clock = { now: 0 };
  const log = createRefusalLog({ warn: (fields: object) => lines.push(fields) } as never, () => clock.now);
  return { lines, clock, warn: (address: string) => log.warn(address, { reason: 'r' }, 'refused') };
}

test('an address is warned of once a minute, and the next line says how many were left out', () => {
  const { lines, clock, warn } = recording();
  for (let i = 0; i < 1_000; i += 1) warn('192.0.2.1');
  warn('192.0.2.2');
  assert.deepEqual(lines, [
    { address: '192.0.2.1', reason: 'r' },
    { address: '192.0.2.2', reason: 'r' },
  ]);
  clock.now = 59_999;
  warn('192.0.2.1');
  assert.equal(lines.length, 2);
  clock.now = 60_000;
  warn('192.0.2.1');
  assert.deepEqual(lines.at(-1), { address: '192.0.2.1', reason: 'r', leftOut: 1_000 });
});

test('however many addresses knock, the lines of a minute are bounded', () => {
  const { lines, clock, warn } = recording();
  for (let i = 0; i < 10_000; i += 1) warn(`2001:db8::${i}`);
  assert.equal(lines.length, 256);
  clock.now = 60_000;
  for (let i = 0; i < 10_000; i += 1) warn(`2001:db8:1::${i}`);
  assert.equal(lines.length, 512);
});
