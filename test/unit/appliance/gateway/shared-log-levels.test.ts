import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { shareLogLevels } from '../../../../appliance/gateway/shared-log-levels.ts';
import { CONFIRM_EVERY_MS, createSharedTexts, type SharedTexts } from '../../../../appliance/gateway/shared-texts.ts';
import { createShelf, type Shelf } from '../../../../appliance/shelf/index.ts';
import {
  createLeveledLogger,
  createNodeLogLevels,
  type Logger,
  type LogLevels,
  type NodeLogLevels,
} from '../../../../appliance/telemetry/index.ts';

const NOW = Date.parse('2026-12-01T00:00:00Z');

interface Replica {
  readonly shared: SharedTexts;
  readonly levels: LogLevels;
  /** As the routes use them. */
  readonly node: NodeLogLevels;
  readonly component: Logger;
  readonly lines: string[];
}

describe('log levels of two gateways of one node', () => {
  let folder: string;
  let kept: Shelf;
  let clock: number;
  let isDown: boolean;
  let first: Replica;
  let second: Replica;

  const start = (): Replica => {
    const shared = createSharedTexts(
      {
        read: (name) => kept.read(name),
        write: (name, text, after) => (isDown ? Promise.reject(new Error('away')) : kept.write(name, text, after)),
        versions: () => (isDown ? Promise.reject(new Error('away')) : kept.versions()),
      },
      () => clock,
    );
    const lines: string[] = [];
    const timers = { now: () => NOW + clock, after: () => () => undefined };
    const { log, levels } = createLeveledLogger({ level: 'info' }, { write: (line) => void lines.push(line) }, timers);
    const component = log.child({ service: 'gateway' });
    log.child({ service: 'bootstrap token' });
    log.child({ service: 'connections' });
    const role = shareLogLevels(levels, shared.text('log-levels'), { log, now: () => NOW + clock });
    return { shared, levels, node: createNodeLogLevels([role]), component, lines };
  };
  const confirm = async ({ shared }: Replica): Promise<void> => {
    clock += CONFIRM_EVERY_MS;
    await shared.confirm();
  };
  const change = async ({ node }: Replica, target: string | undefined, seconds = 600) =>
    node.change(await node.find(target), { level: 'debug', seconds });
  const told = ({ levels }: Replica) => levels.read().changes.map(({ component, level }) => [component, level]);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-levels-'));
    kept = createShelf({ folder });
    clock = 0;
    isDown = false;
    first = start();
    second = start();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has both log what one was told, and say so', async () => {
    await change(first, undefined);
    await confirm(second);
    second.component.debug({}, 'a step of the second');
    assert.ok(second.lines.some((line) => line.includes('a step of the second')));
    assert.deepEqual(await second.node.read(), [{ role: 'gateway', state: second.levels.read() }]);
    assert.deepEqual([told(first), told(second)], [[[undefined, 'debug']], [[undefined, 'debug']]]);
  });

  it('has both log as configured again when the other one is told so', async () => {
    await change(first, 'gateway');
    await change(first, 'connections');
    await confirm(second);
    await second.node.reset();
    await confirm(first);
    assert.deepEqual([told(first), told(second)], [[], []]);
  });

  it('keeps what each was told at the same moment', async () => {
    const components = ['bootstrap token', 'connections'];
    await Promise.all([change(first, 'bootstrap token'), change(second, 'connections')]);
    for (const replica of [first, second]) {
      await confirm(replica);
      assert.deepEqual(
        told(replica)
          .map(([component]) => component)
          .sort(),
        components,
      );
    }
  });

  it('has a gateway that starts later take what is left of the time, and nothing that is over', async () => {
    await change(first, undefined, 600);
    clock += 200_000;
    const later = start();
    await confirm(later);
    const [until] = later.levels.read().changes.map((one) => (Date.parse(one.until) - NOW) / 1000);
    assert.equal(Math.floor(until ?? 0), 600, 'whole seconds of what is left');
    clock += 600_000;
    const last = start();
    await confirm(last);
    assert.deepEqual(told(last), []);
  });

  it('changes nothing where the others cannot be told, and says so', async () => {
    isDown = true;
    await assert.rejects(change(first, undefined));
    assert.deepEqual(told(first), []);
    assert.deepEqual(await first.node.read(), [{ role: 'gateway', state: first.levels.read() }]);
  });

  it('takes no level below debug, none for ever and no other shape from the shelf', async () => {
    const write = (text: string) => writeFile(join(folder, 'log-levels'), text);
    for (const text of [
      '{',
      '[{"level":"trace","until":9999999999999}]',
      '[{"level":"silent","until":9999999999999}]',
    ]) {
      await write(text);
      await confirm(first);
      assert.deepEqual(told(first), [], text);
    }
    await write(`[{"level":"debug","until":${NOW * 2}}]`);
    await confirm(first);
    const [change] = first.levels.read().changes;
    assert.ok(Date.parse(change?.until ?? '') <= NOW + clock + 24 * 3600 * 1000);
  });
});
