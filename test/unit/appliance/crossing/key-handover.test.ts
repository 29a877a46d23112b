import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyHandover } from '../../../../appliance/crossing/audit-keys/key-handover.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../protocol/errors.ts';

const never = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

/** A log that answers the first questions with these errors, and then takes its keys. */
function handoverTo(errors: Error[]) {
  const handed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const service = createKeyHandover({
    keys: { derive: () => new Uint8Array(32), openIdentity: async () => new Uint8Array(32) },
    audit: {
      async hand() {
        const error = errors.shift();
        if (error === undefined) return handed.resolve();
        asked.resolve();
        throw error;
      },
      attend: (signal: AbortSignal) => never(signal),
    },
    log: createLogger({ level: 'silent' }),
  });
  return { service, handed: handed.promise, asked: asked.promise };
}

/** Of a handover whose first answer was this error. */
async function shownAfter(error: Error) {
  const { service, asked, handed } = handoverTo([error]);
  const started = service.start(AbortSignal.timeout(30_000));
  await asked;
  await new Promise(setImmediate);
  const shown = service.readiness();
  await handed;
  await started;
  assert.deepEqual(service.readiness(), { ready: true });
  await service.stop();
  return shown;
}

test('a log that is not there yet is waited for: a start does not end with it', async () => {
  const error = new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'its process does not answer' });
  assert.deepEqual(await shownAfter(error), { ready: false, reason: error.message });
});

test('what a person must mend is a fault with its name', async () => {
  const error = new NectarError('NODE_IDENTITY_DIFFERENT', { where: 'audit', known: 'a', found: 'b' });
  const shown = await shownAfter(error);
  assert.equal('fault' in shown && shown.fault?.code, 'NODE_IDENTITY_DIFFERENT');
});
