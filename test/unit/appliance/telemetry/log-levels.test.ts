import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createLeveledLogger,
  createNodeLogLevels,
  type RoleLogLevels,
  roleLogLevels,
} from '../../../../appliance/telemetry/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

/** A log whose lines and time the test holds. */
function createLog(level: 'silent' | 'warn' | 'info' = 'info') {
  const lines: { level: string; msg: string; service?: string; token?: string }[] = [];
  let at = Date.parse('2026-11-30T12:00:00Z');
  const waiting = new Set<{ at: number; call: () => void }>();
  const { log, levels } = createLeveledLogger(
    { level },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
    {
      now: () => at,
      after(ms, call) {
        const one = { at: at + ms, call };
        waiting.add(one);
        return () => void waiting.delete(one);
      },
    },
  );
  const pass = (ms: number): void => {
    at += ms;
    for (const one of [...waiting].filter((due) => due.at <= at)) {
      waiting.delete(one);
      one.call();
    }
  };
  const written = (): string[] => lines.splice(0).map(({ service = '', msg }) => `${service}: ${msg}`);
  return { log, levels, lines, pass, written, waiting };
}

test('writes more of one component for a while, and as configured afterwards', () => {
  const { log, levels, pass, written, waiting } = createLog();
  const [p2p, store] = [log.child({ service: 'p2p' }), log.child({ service: 'store' })];
  const say = (): string[] => {
    written();
    for (const one of [log, p2p, store]) one.debug({}, 'step');
    return written();
  };
  assert.deepEqual(say(), []);
  const state = levels.change({ component: 'p2p', level: 'debug', seconds: 60 });
  assert.deepEqual(state, {
    configured: 'info',
    components: ['p2p', 'store'],
    changes: [{ component: 'p2p', level: 'debug', until: '2026-11-30T12:01:00.000Z' }],
  });
  assert.deepEqual(say(), ['p2p: step']);
  pass(59_999);
  assert.deepEqual(say(), ['p2p: step']);
  pass(1);
  assert.deepEqual(say(), []);
  assert.deepEqual(levels.read().changes, []);
  assert.equal(waiting.size, 0);
});

test('a change of all ends those of components, a later one takes its place, and a reset ends both', () => {
  const { log, levels, pass, written } = createLog('warn');
  const p2p = log.child({ service: 'p2p' });
  levels.change({ component: 'p2p', level: 'error', seconds: 10 });
  levels.change({ level: 'debug', seconds: 30 });
  written();
  p2p.debug({}, 'step');
  log.child({ service: 'late' }).debug({}, 'made while it lasts');
  assert.deepEqual(written(), ['p2p: step', 'late: made while it lasts']);
  pass(20_000);
  levels.change({ level: 'info', seconds: 30 });
  pass(20_000);
  assert.deepEqual(
    levels.read().changes.map(({ level }) => level),
    ['info'],
    'the time of the first change ends nothing any more',
  );
  levels.reset();
  written();
  p2p.info({}, 'step');
  log.info({}, 'step');
  assert.deepEqual(written(), []);
});

test('a level of errors alone still writes errors, and a log that is silent comes back to silence', () => {
  const { log, levels, pass, lines } = createLog('silent');
  log.error({}, 'unseen');
  levels.change({ level: 'error', seconds: 5 });
  log.error({}, 'seen');
  pass(5_000);
  log.error({}, 'unseen');
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['seen'],
  );
});

test('replaces secrets at debug as at every level', () => {
  const { log, levels, lines } = createLog();
  levels.change({ level: 'debug', seconds: 5 });
  log.child({ service: 'gateway' }).debug({ token: 'nectar-secret', request: { authorization: 'Bearer x' } }, 'asked');
  assert.doesNotMatch(JSON.stringify(lines), /nectar-secret|Bearer/);
});

test('finds a target by role or component, in every role that has it, and names what there is', async () => {
  const [store, audit] = [createLog(), createLog()];
  for (const { log } of [store, audit]) log.child({ service: 'keys' });
  store.log.child({ service: 'store' });
  const silent: RoleLogLevels = {
    role: 'rollup',
    read: async () => assert.fail('gone'),
    change: async () => assert.fail('gone'),
    reset: async () => assert.fail('gone'),
  };
  const node = createNodeLogLevels([
    roleLogLevels('store', store.levels),
    roleLogLevels('audit', audit.levels),
    silent,
  ]);
  const names = async (name?: string): Promise<string[]> =>
    (await node.find(name)).map(({ role, component }) => `${role.role}/${component ?? ''}`);
  assert.deepEqual(await names(), ['store/', 'audit/', 'rollup/']);
  assert.deepEqual(await names('store'), ['store/']);
  assert.deepEqual(await names('keys'), ['store/keys', 'audit/keys']);
  await assert.rejects(
    node.find('trie'),
    (error) => isNectarError(error, 'NODE_LOG_TARGET_UNKNOWN') && error.data.known.join() === 'store,audit,rollup,keys',
  );
  // A role that does not answer is named without a state: nothing is said of it.
  const after = await node.change(await node.find(undefined), { level: 'debug', seconds: 60 });
  assert.deepEqual(
    after.map(({ role, state }) => [role, state?.changes.length]),
    [
      ['store', 1],
      ['audit', 1],
      ['rollup', undefined],
    ],
  );
  await assert.rejects(node.change(await node.find('rollup'), { level: 'debug', seconds: 60 }), /gone/);
});
