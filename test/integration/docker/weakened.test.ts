import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { changes, expectedOf, unwell, type Verdicts, verdictsOf, type Weakening } from '../weakened/weakening.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';
import { WEAKENED_AROUND } from './weakened-acts.ts';
import { WEAKENED_CONTAINERS } from './weakened-containers.ts';
import { ALTERED_LAYER, WEAKENED_IMAGES } from './weakened-images.ts';
import { WeakenedStack } from './weakened-stack.ts';

/**
 * All who look at the engine. The node's own doors are not asked each time: a role that was made anew is not ready at once, and
 * nothing that is changed here shows there.
 */
const ENGINE = ['node', 'containers', 'processes', 'volumes', 'networks'];

const options = { skip: skipWithoutDocker, timeout: 1_200_000 };

test('each weakness of a node in containers fails its own checks and no other', options, async (t) => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  after(() => place.close([home]));
  loadImages(DOCKER_SOCKET);
  await place.init(home);
  const stack = new WeakenedStack(place, home);
  const whole = new Map<string, Verdicts>();

  async function seenBy(collectors: readonly string[]): Promise<Verdicts> {
    if (collectors.includes('plaintext')) await stack.ready();
    return verdictsOf(await stack.look(collectors));
  }

  async function judge(row: Weakening<WeakenedStack>): Promise<void> {
    const { collectors = ENGINE } = row;
    const key = collectors.join();
    if (!whole.has(key)) {
      await stack.restore();
      whole.set(key, await seenBy(collectors));
    }
    await row.weaken(stack);
    assert.deepEqual(changes(whole.get(key) ?? {}, await seenBy(collectors)), expectedOf(row));
  }

  await t.test(
    'as init made it, nothing fails but a key file on the disk of the data, and everything is seen',
    async () => {
      // Whether the engine keeps volumes on the disk of the key file differs from machine to machine.
      const { 'BYON-FIL-007': keyFile = 'fail', ...others } = unwell(await stack.look());
      assert.deepEqual([keyFile, others], ['fail', {}]);
    },
  );

  try {
    for (const row of WEAKENED_CONTAINERS) await t.test(row.name, () => judge(row));
    for (const row of [...WEAKENED_IMAGES, ALTERED_LAYER, ...WEAKENED_AROUND]) {
      await t.test(row.name, async () => {
        await stack.restore();
        await judge(row);
      });
    }
    await t.test('and the node is whole again as it was', async () => {
      await stack.restore();
      assert.deepEqual(changes(whole.get(ENGINE.join()) ?? {}, await seenBy(ENGINE)), {});
    });
  } finally {
    await stack.restore();
  }
});
