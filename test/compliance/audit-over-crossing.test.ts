import { createAuditAppendClient } from '../../appliance/crossing/audit-append/client.ts';
import { auditAppendRoutes } from '../../appliance/crossing/audit-append/server.ts';
import { createAuditKeysClient } from '../../appliance/crossing/audit-keys/client.ts';
import { createHeldKeys } from '../../appliance/crossing/audit-keys/held-keys.ts';
import { auditKeysRoutes } from '../../appliance/crossing/audit-keys/server.ts';
import { createAuditReadClient } from '../../appliance/crossing/audit-read/client.ts';
import { auditReadRoutes } from '../../appliance/crossing/audit-read/server.ts';
import { auditCompliance } from './audit.ts';
import { CARRIERS, createCrossingHouse } from './crossing-house.ts';
import { createStandingLog } from './standing-log.ts';

for (const carrier of CARRIERS) {
  auditCompliance(`over ${carrier}`, async () => {
    const standing = await createStandingLog();
    const houses = [
      await createCrossingHouse('audit-append', carrier),
      await createCrossingHouse('audit-read', carrier),
      await createCrossingHouse('audit-keys', carrier),
    ] as const;
    const [append, read, keys] = houses;
    const serve = async (): Promise<void> => {
      const { audit } = standing;
      const held = createHeldKeys(new Uint8Array(32));
      await append.serve(auditAppendRoutes(audit));
      await read.serve(auditReadRoutes(audit));
      await keys.serve(auditKeysRoutes({ keys: held, audit, whenStarted: async () => undefined }));
    };
    await serve();
    const { records } = createAuditKeysClient(keys.connection);
    return {
      audit: {
        ...createAuditAppendClient(append.connection),
        ...createAuditReadClient(read.connection),
        records: records as typeof standing.audit.records,
      },
      vkey: standing.audit.vkey(),
      async restart() {
        await standing.restart();
        await serve();
      },
      async stop() {
        for (const house of houses) await house.stop();
      },
      async close() {
        for (const house of houses) await house.close();
        await standing.close();
      },
    };
  });
}
