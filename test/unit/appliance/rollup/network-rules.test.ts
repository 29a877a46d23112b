import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import {
  assertMachine,
  buildDescriptorGenesis,
  createRollup,
  MACHINE_DIGEST,
  rollupConfig,
  rulesOf,
} from '../../../../appliance/rollup/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../../../protocol/network/descriptor.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { FORKS } from '../../../../protocol/rollup/fork.ts';
import { NO_REQUESTS_HASH } from '../../../../protocol/rollup/rules.ts';
import { SAMPLE_DESCRIPTOR } from '../../protocol/network/sample-descriptor.ts';

const withL2 = (more: Partial<NetworkDescriptor['l2']>): NetworkDescriptor => ({
  ...SAMPLE_DESCRIPTOR,
  l2: { ...SAMPLE_DESCRIPTOR.l2, ...more },
});

test('a node whose machine is another one than the network runs does not start', async () => {
  const rollup = createRollup(
    {
      config: Value.Parse(rollupConfig, Value.Default(rollupConfig, {})),
      descriptor: SAMPLE_DESCRIPTOR,
      databasePath: '/nowhere',
      durable: false,
      clientVersion: 'nectar-byon/test',
    },
    {
      secrets: { databaseKey: () => new Uint8Array(32), operatorKey: () => new Uint8Array(32).fill(1) },
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      now: () => 0,
      randomBytes: (size) => new Uint8Array(size),
    },
  );
  await assert.rejects(
    async () => rollup.start(new AbortController().signal),
    (error) =>
      isNectarError(error, 'ROLLUP_MACHINE_MISMATCH') &&
      error.data.expected === SAMPLE_DESCRIPTOR.l2.machine &&
      error.data.actual === MACHINE_DIGEST,
  );
  assertMachine(withL2({ machine: MACHINE_DIGEST }));
});

test('the fork of the network decides what its genesis holds', async () => {
  const built = await Promise.all(
    FORKS.map(async (fork) => {
      const descriptor = withL2({ genesis: { ...SAMPLE_DESCRIPTOR.l2.genesis, fork, p256: false } });
      return { fork, genesis: buildDescriptorGenesis(descriptor), rules: rulesOf(descriptor) };
    }),
  );
  assert.equal(new Set(built.map(({ genesis }) => genesis.hash)).size, 2, 'Prague and Osaka begin alike');
  for (const { fork, genesis, rules } of built) {
    const { requestsHash } = genesis.header;
    assert.equal(requestsHash && bytesToHex(requestsHash), fork === 'cancun' ? undefined : NO_REQUESTS_HASH);
    assert.equal(rules.isActivatedEIP(7951), fork === 'osaka', 'P-256');
  }
});
