import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLeveledLogger, type LogLevels, type RoleLogLevels } from '../../appliance/telemetry/index.ts';

export interface LogLevelsUnderTest extends RoleLogLevels {
  close(): Promise<void>;
}

/** How a role logs, and for how long otherwise, as the gateway sees and changes it. */
export function logLevelsCompliance(name: string, create: (levels: LogLevels) => Promise<LogLevelsUnderTest>): void {
  describe(`log levels compliance: ${name}`, () => {
    const lines: string[] = [];
    const { log, levels } = createLeveledLogger({ level: 'info' }, { write: (line) => void lines.push(line) });
    const component = log.child({ service: 'bootstrap token' });
    let under: LogLevelsUnderTest;
    before(async () => {
      under = await create(levels);
    });
    after(() => under.close());

    it('tells the configured level and the components', async () => {
      assert.deepEqual(await under.read(), { configured: 'info', components: ['bootstrap token'], changes: [] });
    });

    it('changes a component for a while, and puts it back when asked', async () => {
      const told = await under.change({ component: 'bootstrap token', level: 'debug', seconds: 3600 });
      assert.deepEqual([told.changes[0]?.component, told.changes[0]?.level], ['bootstrap token', 'debug']);
      component.debug({}, 'a step');
      log.debug({}, 'another');
      assert.ok(lines.some((line) => line.includes('a step')) && !lines.some((line) => line.includes('another')));
      assert.deepEqual((await under.reset()).changes, []);
    });

    it('refuses a component that there is not', async () => {
      await assert.rejects(under.change({ component: 'x', level: 'debug', seconds: 1 }), {
        code: 'NODE_LOG_TARGET_UNKNOWN',
      });
    });
  });
}
