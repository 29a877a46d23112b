import { parseVerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { createAudit } from '../audit/index.ts';
import { homePaths } from '../config/index.ts';
import { auditAppendRoutes } from '../crossing/audit-append/server.ts';
import { createHeldKeys } from '../crossing/audit-keys/held-keys.ts';
import { auditKeysRoutes } from '../crossing/audit-keys/server.ts';
import { auditReadRoutes } from '../crossing/audit-read/server.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { auditIntroductionRoutes } from '../crossing/introduction.ts';
import { logLevelsRoutes } from '../crossing/log-levels/server.ts';
import { metricsRoutes } from '../crossing/metrics/server.ts';
import { healthSocketPath } from '../crossing/socket.ts';
import type { Service } from '../service.ts';
import { startedEmpty } from '../volume-marks.ts';
import { now, type RoleDeps, type RoleOptions, randomBytes, type Wiring } from '../wiring.ts';
import { auditIdentity, auditIntroductionOf } from './audit-identity.ts';
import { carrierOf } from './carrier-of.ts';
import { reportLife } from './report-life.ts';

/** `run audit`: the log. It holds its two keys in memory, from the store; it reaches nobody. */
export async function wireAudit(options: RoleOptions, deps: RoleDeps): Promise<Wiring> {
  const { log, levels, metrics } = deps;
  const { home, version, config, sockets } = options;
  const identity = await auditIdentity(options, deps);
  const checkpointKey = parseVerifierKey(identity.checkpointVkey);
  const opened = Promise.withResolvers<void>();

  const keys = createHeldKeys(checkpointKey.publicKey);
  const audit = createAudit(
    {
      folder: homePaths(home).audit,
      origin: checkpointKey.name,
      config: config.audit,
      chainWaitMs: config.audit.chainWaitMs,
    },
    { keys, signer: keys, log, metrics, now, randomBytes },
  );
  const keyHolder: Service = {
    name: 'audit keys',
    start: async () => undefined,
    stop: async () => keys.wipe(),
    readiness: () =>
      keys.isHeld() ? { ready: true } : { ready: false, reason: 'waits for the store to hand over its keys' },
  };

  const carrier = carrierOf('audit', options, deps);
  const crossings = carrier.serve({
    'audit-append': auditAppendRoutes(audit),
    'audit-read': [...auditReadRoutes(audit), ...metricsRoutes(metrics), ...logLevelsRoutes(levels)],
    'audit-keys': [
      ...auditIntroductionRoutes(auditIntroductionOf(identity)),
      ...auditKeysRoutes({
        keys,
        audit,
        whenStarted: async (signal) => {
          await opened.promise;
          await audit.whenSound(signal);
        },
      }),
    ],
  });
  const life = { role: 'audit', version, ...startedEmpty(home) } as const;
  return {
    alive: [
      ...carrier.credentials,
      keyHolder,
      ...crossings,
      createHealthServer(healthSocketPath(sockets, 'audit'), [...carrier.credentials, keyHolder, audit]),
    ],
    usable: [audit],
    url: () => undefined,
    whenUsable: (signal) => keys.whenHeld(signal),
    async onStarted() {
      opened.resolve();
      await reportLife('node.start', life, { audit, log });
    },
    async onStopping() {
      if (audit.readiness().ready) await reportLife('node.stop', life, { audit, log });
    },
  };
}
