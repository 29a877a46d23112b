/** A sequencer in a process of its own, to be killed: prints `number hash` for every block that it announces. */
import { readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import {
  createBatcher,
  createRollup,
  createRpcServer,
  createSequencer,
  rollupConfig,
  rulesOf,
  sequencerConfig,
} from '../../../appliance/rollup/index.ts';
import { createLifecycle } from '../../../appliance/service.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { parseUnsafeBlock } from '../../../protocol/rollup/unsafe-block.ts';

export interface ChildSpec {
  readonly descriptor: NetworkDescriptor;
  readonly databasePath: string;
  /** Hex, of throw-away test accounts. */
  readonly key: string;
  readonly databaseKey: string;
  readonly rpcPort: number;
}

const [, , path = ''] = process.argv;
const spec = JSON.parse(readFileSync(path, 'utf8')) as ChildSpec;
const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
const log = createLogger({ level: 'silent' });
const settings = { rpcPort: spec.rpcPort, blockIntervalMs: 10, batchIntervalMs: 300, heartbeatMs: 40 };
const config = Value.Parse(sequencerConfig, Value.Default(sequencerConfig, settings));
const rollup = createRollup(
  {
    config: Value.Parse(rollupConfig, Value.Default(rollupConfig, { l1PollMs: 100 })),
    descriptor: spec.descriptor,
    databasePath: spec.databasePath,
    durable: true,
    clientVersion: 'nectar-byon/test',
  },
  {
    secrets: { databaseKey: () => bytes(spec.databaseKey), operatorKey: () => bytes(spec.key) },
    log,
    metrics: createMetrics(),
    now: Date.now,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
  },
);
const rules = rulesOf(spec.descriptor);
rollup.onUnsafe((envelope) => {
  const { block, hash } = parseUnsafeBlock(envelope, rules);
  process.stdout.write(`${block.header.number} ${hash}\n`);
});
const deps = { rollup, log, now: Date.now };
await createLifecycle(log).start([
  rollup,
  createRpcServer(config, rollup),
  createSequencer({ config, key: bytes(spec.key) }, deps),
  createBatcher({ config, key: bytes(spec.key) }, deps),
]);
