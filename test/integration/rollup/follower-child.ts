/** A node that follows L1 alone, in a process of its own, to be killed at a write to its disk; answers JSON-RPC on loopback. */
import { readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import { createRollup, createRpcServer, rollupConfig, sequencerConfig } from '../../../appliance/rollup/index.ts';
import { createLifecycle } from '../../../appliance/service.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { type DiskCrash, watchDisk } from './crash-disk.ts';

export interface FollowerSpec {
  readonly descriptor: NetworkDescriptor;
  readonly databasePath: string;
  /** Hex, of a throw-away test network. */
  readonly databaseKey: string;
  readonly rpcPort: number;
  readonly stateHistoryHours: number;
  readonly snapshotPath?: string;
  readonly crash?: DiskCrash;
}

const [, , path = ''] = process.argv;
const spec = JSON.parse(readFileSync(path, 'utf8')) as FollowerSpec;
const { descriptor, databasePath, rpcPort, stateHistoryHours, snapshotPath, crash } = spec;
const databaseKey = Buffer.from(spec.databaseKey, 'hex');
const log = createLogger({ level: 'silent' });
watchDisk(databaseKey, crash);
const validator = {
  enabled: false,
  pollMs: 100,
  resubmitMs: 5_000,
  maxFeePerGasGwei: 500,
  srsFolder: '',
  proverProgram: '',
};
const settings = { l1PollMs: 100, stateHistoryHours, validator };
const rollup = createRollup(
  {
    config: Value.Parse(rollupConfig, Value.Default(rollupConfig, settings)),
    descriptor,
    databasePath,
    durable: false,
    ...(snapshotPath && { snapshotPath }),
    clientVersion: 'nectar-byon/test',
  },
  {
    secrets: { databaseKey: () => databaseKey, operatorKey: () => new Uint8Array(32).fill(1) },
    log,
    metrics: createMetrics(),
    now: Date.now,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
  },
);
const server = Value.Parse(sequencerConfig, Value.Default(sequencerConfig, { rpcPort }));
await createLifecycle(log).start([rollup, createRpcServer(server, rollup)]);
