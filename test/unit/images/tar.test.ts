import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTar, encodeTar, type TarEntry } from '../../../images/tar.ts';

const file = (path: string, text: string, mode = 0o644): TarEntry => ({
  kind: 'file',
  path,
  mode,
  content: Buffer.from(text),
});

test('does not depend on the order of the entries, and adds the directories between', () => {
  const entries = [file('b/c/d', 'x'), file('a', 'y'), file('b/a', 'z')];
  const one = encodeTar(entries, 1000);
  assert.deepEqual(encodeTar(entries.toReversed(), 1000), one);
  assert.deepEqual(
    [...decodeTar(one)].map(({ path, type }) => `${type} ${path}`),
    ['0 a', '5 b', '0 b/a', '5 b/c', '0 b/c/d'],
  );
});

test('keeps modes, owners, links and bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(0o7777), fc.nat(0o777_777), (content, mode, uid) => {
      const bytes = encodeTar(
        [
          { kind: 'file', path: 'f', mode, uid, gid: 7, content },
          { kind: 'link', path: 'l', mode: 0o777, target: 'f' },
        ],
        5,
      );
      assert.equal(bytes.length % 512, 0);
      const [first, second] = [...decodeTar(bytes)];
      assert.deepEqual(
        { ...first, content: [...(first?.content ?? [])] },
        { path: 'f', type: '0', mode, uid, gid: 7, mtime: 5, target: '', content: [...content] },
      );
      assert.equal(second?.target, 'f');
    }),
  );
});

test('splits a long name where ustar allows it, and refuses one that does not fit or comes twice', () => {
  const long = `${'d'.repeat(90)}/${'e'.repeat(60)}/${'f'.repeat(95)}`;
  assert.ok([...decodeTar(encodeTar([file(long, 'x')], 0))].some(({ path }) => path === long));
  assert.throws(() => encodeTar([file('n'.repeat(101), 'x')], 0), /too long/);
  assert.throws(() => encodeTar([file('a', 'x'), file('a', 'y')], 0), /twice/);
});

test('is read by tar(1)', { skip: process.platform === 'linux' ? false : 'GNU tar' }, () => {
  const input = encodeTar([file('run/me', 'x', 0o755), { kind: 'directory', path: 'tmp', mode: 0o1777 }], 86_400);
  const listed = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--utc', '--file', '-'], {
    input,
    encoding: 'utf8',
  });
  assert.match(
    listed,
    /^drwxr-xr-x 0\/0 +0 1970-01-02 00:00 run\/\n-rwxr-xr-x 0\/0 +1 .* run\/me\ndrwxrwxrwt .* tmp\/\n$/,
  );
});
