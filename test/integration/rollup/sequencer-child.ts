/** A sequencer in a process of its own, to be killed: prints `announced NUMBER HASH` for what leaves it, `written HASH` for what its disk has. */
import { readFileSync, writeSync } from 'node:fs';
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
import { type DiskCrash, watchDisk } from './crash-disk.ts';

/** Its own death, at a moment that only the process knows: a write to its disk, or the announcement of a block. */
export type ChildCrash = DiskCrash | { readonly announcement: 'before' | 'after'; readonly nth: number };

export interface ChildSpec {
  readonly descriptor: NetworkDescriptor;
  readonly databasePath: string;
  /** Hex, of throw-away test accounts. */
  readonly key: string;
  readonly databaseKey: string;
  readonly rpcPort: number;
  readonly crash?: ChildCrash;
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
const { crash } = spec;
watchDisk(bytes(spec.databaseKey), crash && 'write' in crash ? crash : undefined);
let announcements = 0;
rollup.onUnsafe((envelope) => {
  announcements += 1;
  const isMet = crash !== undefined && 'announcement' in crash && crash.nth === announcements;
  if (isMet && crash.announcement === 'before') process.kill(process.pid, 'SIGKILL');
  const { block, hash } = parseUnsafeBlock(envelope, rules);
  writeSync(process.stdout.fd, `announced ${block.header.number} ${hash}\n`);
  if (isMet) process.kill(process.pid, 'SIGKILL');
});
const deps = { rollup, log, now: Date.now };
await createLifecycle(log).start([
  rollup,
  createRpcServer(config, rollup),
  createSequencer({ config, key: bytes(spec.key) }, deps),
  createBatcher({ config, key: bytes(spec.key) }, deps),
]);
