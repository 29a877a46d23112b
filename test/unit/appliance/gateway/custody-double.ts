import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCustody } from '../../../../appliance/custody/index.ts';
import type { GatewayCustody } from '../../../../appliance/gateway/custody-needs.ts';
import { createMetrics } from '../../../../appliance/telemetry/index.ts';

/** The service itself, in a folder that goes with the process. */
export function custodyDouble(): GatewayCustody {
  const config = { maxBytesPerRepository: 64_000_000, maxRepositories: 4, minFreeBytes: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'nectar-custody-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return createCustody({ folder, config }, { metrics: createMetrics(), now: Date.now });
}
