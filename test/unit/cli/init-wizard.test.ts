import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { networkInterfaces } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { addressesOf, descriptorProblem, isHostName } from '../../../cli/init-wizard.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-wizard-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('offers the addresses that mean something to other machines', () => {
  const of = (address: string, internal = false) => ({ address, internal }) as never;
  const interfaces = {
    lo: [of('127.0.0.1', true), of('::1', true)],
    eth0: [of('192.168.1.20'), of('fe80::1'), of('2001:db8::20')],
    usb0: [of('169.254.7.7')],
  } as ReturnType<typeof networkInterfaces>;
  assert.deepEqual(
    addressesOf(interfaces).map(({ address }) => address),
    ['192.168.1.20', '2001:db8::20'],
  );
});

test('takes names that a certificate can hold, and no others', () => {
  for (const name of ['node', 'node.clinic.example', 'a-1.b']) assert.equal(isHostName(name), true, name);
  for (const name of ['', 'a b', 'a..b', '-a', 'a-', 'a_b', '.a', 'a.', `${'a'.repeat(64)}.b`, 'ü.de'])
    assert.equal(isHostName(name), false, name);
});

test('says why a file is no descriptor', () => {
  const path = join(folder, 'file');
  assert.match(descriptorProblem(path) ?? '', /no file/);
  assert.match(descriptorProblem(folder) ?? '', /no file/);
  writeFileSync(path, 'x'.repeat(10));
  assert.match(descriptorProblem(path) ?? '', /descriptor/);
  writeFileSync(path, Buffer.alloc(4_000_000));
  assert.match(descriptorProblem(path) ?? '', /too large/);
});
