import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isBackupPath } from '../../../../protocol/backup/entry-path.ts';
import {
  encodeTarHeader,
  parseTarHeader,
  TAR_BLOCK_BYTES,
  tarPadding,
} from '../../../../protocol/backup/tar-header.ts';

const file = { path: 'store/index/000003.log', size: 5189, modifiedAt: 1_795_000_000 };

test('writes the header that POSIX describes, field by field', () => {
  const header = Buffer.from(encodeTarHeader(file));
  assert.equal(header.length, TAR_BLOCK_BYTES);
  assert.equal(header.toString('latin1', 0, 22), file.path);
  assert.equal(header.toString('latin1', 124, 136), '00000012105\0');
  assert.equal(header.toString('latin1', 257, 265), 'ustar\u000000');
  assert.equal(header[156], '0'.charCodeAt(0));
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  assert.equal(Number.parseInt(header.toString('latin1', 148, 154), 8), sum);
});

test('reads back any path and size that it can write', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(), (parts, size, modifiedAt) => {
      const given = { path: parts.join('/'), size, modifiedAt };
      assert.deepEqual(parseTarHeader(encodeTarHeader(given)), given);
      assert.equal((size + tarPadding(size)) % TAR_BLOCK_BYTES, 0);
    }),
  );
});

test('refuses a header with any byte changed', () => {
  const header = encodeTarHeader(file);
  for (let at = 0; at < header.length; at += 1) {
    const changed = header.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    const read = parseTarHeader(changed);
    assert.ok(read === undefined, `byte ${at}`);
  }
});

test('refuses links, devices and folders, and knows the end', () => {
  for (const type of ['1', '2', '3', '5', 'x', 'L']) {
    const header = encodeTarHeader(file);
    header[156] = type.charCodeAt(0);
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    header.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
    assert.equal(parseTarHeader(header), undefined, type);
  }
  assert.equal(parseTarHeader(new Uint8Array(512)), 'end');
  assert.equal(parseTarHeader(new Uint8Array(511)), undefined);
});

test('refuses what ustar cannot hold', () => {
  assert.throws(() => encodeTarHeader({ ...file, size: 8 ** 11 }), RangeError);
  assert.throws(() => encodeTarHeader({ ...file, path: 'x'.repeat(101) }), RangeError);
  assert.throws(() => encodeTarHeader({ ...file, path: 'pär' }), RangeError);
});

test('takes only paths of a home, and none that leads out of it', () => {
  for (const path of [
    'keys.json',
    'identity/p2p.sealed',
    'store/blocks/3/bafk',
    'audit/tile/0/x001/067',
    'audit/checkpoint',
  ])
    assert.equal(isBackupPath(path), true, path);
  const refused = [
    '../keys.json',
    'store/index/../../x',
    '/etc/passwd',
    'store/index/',
    'client/token',
    'tls/server.key',
  ];
  for (const path of [...refused, 'store/index/.hidden', 'run/node.json', 'identity/x.txt', 'audit//checkpoint', ''])
    assert.equal(isBackupPath(path), false, path);
});
