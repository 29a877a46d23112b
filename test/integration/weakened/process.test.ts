import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freePort, Workplace } from '../../e2e/workplace.ts';
import { WEAKENED_DOORS } from './process-doors.ts';
import { WEAKENED_LOG, WEAKENED_PROCESS } from './process-itself.ts';
import { ProcessStack } from './process-stack.ts';
import { WEAKENED_ACCESS, WEAKENED_CONFIGURATION, WEAKENED_FILES } from './process-weakenings.ts';
import { changes, expectedOf, unwell, type Verdicts, verdictsOf } from './weakening.ts';

/**
 * All who look at such a node, but for three: its host and its clock are not weakened, and its log is asked only where it was, since
 * the refusals that the others provoke fill the minute.
 */
const NODE = 'node configuration node-status listeners keys tokens life files plaintext processes'.split(' ');
/** The log first, while few were refused; last what takes a new start. */
const ROWS = [
  ...WEAKENED_LOG,
  ...WEAKENED_FILES,
  ...WEAKENED_CONFIGURATION,
  ...WEAKENED_ACCESS,
  ...WEAKENED_DOORS,
  ...WEAKENED_PROCESS,
];

test('each weakness of a node in one process fails its own checks and no other', { timeout: 600_000 }, async (t) => {
  const place = new Workplace();
  const home = place.path('node');
  const stack = new ProcessStack(place, home);
  after(async () => {
    await place.run(['down', '--home', home]);
    await place.run(['devnet', 'down']);
    place.remove();
  });
  const ports = ['--port', String(await freePort()), '--p2p-port', String(await freePort())];
  await place.json(['init', '--yes', '--home', home, ...ports]);
  await stack.keepLog();
  await stack.anchored();
  const whole = new Map<string, Verdicts>();

  await t.test(
    'as init made it, its key file on the disk of the data fails, and nothing else; everything is seen',
    async () => {
      assert.deepEqual(unwell(await stack.look()), { 'BYON-FIL-007': 'fail' });
    },
  );

  for (const row of ROWS) {
    await t.test(row.name, async () => {
      const { collectors = NODE } = row;
      const key = collectors.join();
      if (!whole.has(key)) whole.set(key, verdictsOf(await stack.look(collectors)));
      try {
        await row.weaken(stack);
        assert.deepEqual(changes(whole.get(key) ?? {}, verdictsOf(await stack.look(collectors))), expectedOf(row));
      } finally {
        await stack.restore();
      }
    });
  }

  await t.test('and the node is whole again as it was', async () => {
    await stack.startAgain();
    assert.deepEqual(changes(whole.get(NODE.join()) ?? {}, verdictsOf(await stack.look(NODE))), {});
  });
});
