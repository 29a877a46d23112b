import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSize } from '../../../cli/option-parsers.ts';
import { describeOffer } from '../../../cli/render/offer.ts';
import { capture } from './capture.ts';

test('a size has a unit, and none is none', () => {
  const sizes = ['none', '1KiB', '500MiB', '1.5GiB', '1024TiB'].map(parseSize);
  assert.deepEqual(sizes, [0, 1024, 500 * 1024 ** 2, 1.5 * 1024 ** 3, 1024 ** 5]);
});

test('what is no size is refused before the node is asked, here and at init', async () => {
  for (const size of ['100', '100GB', '0GiB', '-1GiB', '1025TiB', 'all', '1e3GiB']) {
    for (const command of [
      ['storage', 'offer', '--', size],
      ['init', '--yes', '--plan', `--offer=${size}`],
    ]) {
      const { code, stderr } = await capture(command);
      assert.equal(code, 2, command.join(' '));
      assert.match(stderr, /neither `none` nor a size such as/);
    }
  }
});

test('says what is offered, who says so, and what is held all the same', () => {
  const of = (bytes: number, heldBytes: number, from: 'configuration' | 'command' = 'command'): string =>
    describeOffer({ bytes, heldBytes, from });
  assert.equal(of(0, 0, 'configuration'), 'nothing offered to other members, as configured');
  assert.equal(of(1024 ** 3, 0), '1.0 GiB offered to other members, by `storage offer`; holds nothing for others');
  assert.equal(
    of(0, 2048),
    'nothing more offered to other members, by `storage offer`; holds 2.0 KiB for others, which stays until they release it',
  );
});
