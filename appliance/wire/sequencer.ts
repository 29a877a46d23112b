/** The devnet's other side. */
import { join } from 'node:path';
import { readDescriptor, readDevnetKey, type SequencerHomeConfig } from '../config/index.ts';
import { createP2p, type P2p } from '../p2p/index.ts';
import { createAuditor, createBatcher, createRollup, createRpcServer, createSequencer } from '../rollup/index.ts';
import { type NodeDeps, now, randomBytes, type Wiring } from '../wiring.ts';
import { rollupPeers, servedToPeers } from './rollup-peers.ts';
import { unsafeBlocks } from './unsafe-blocks.ts';

interface SequencerOptions {
  readonly home: string;
  readonly version: string;
  readonly config: SequencerHomeConfig;
}

/** `run sequencer`: the devnet's other side. It orders, posts and (on a devnet) attests; it holds nobody's data. */
export async function wireSequencer(options: SequencerOptions, deps: Omit<NodeDeps, 'logLevels'>): Promise<Wiring> {
  const { home, version, config } = options;
  const { log, metrics } = deps;
  const { descriptor } = readDescriptor(home);
  const key = (name: string): Uint8Array => readDevnetKey(home, name);

  const rollup = createRollup(
    {
      config: config.rollup,
      descriptor,
      databasePath: join(home, 'rollup', 'db'),
      durable: true,
      clientVersion: `nectar-byon/${version}`,
    },
    {
      secrets: {
        databaseKey: () => key('database'),
        operatorKey: () => key('sequencer'),
        // Another account than the batcher's: two that send from one would take each other's nonces.
        validatorKey: () => (config.rollup.validator.enabled ? key('validator') : undefined),
      },
      log: log.child({ service: 'rollup' }),
      metrics,
      now,
      randomBytes,
      ...rollupPeers(() => p2p),
    },
  );
  const side = (service: string) => ({ rollup, log: log.child({ service }), now, metrics });
  const sequencer = createSequencer(
    { config: config.sequencer, key: key('sequencer') },
    { ...side('sequencer'), askPeers: (signal) => p2p.catchUp(signal) },
  );
  const batcher = createBatcher({ config: config.sequencer, key: key('sequencer') }, side('batcher'));
  const auditor = createAuditor(
    { config: config.sequencer, keys: [key('auditor-1'), key('auditor-2')] },
    side('auditor'),
  );
  const p2p: P2p = createP2p(
    { ...config.p2p, l2ChainId: BigInt(descriptor.l2.chainId), bootstrap: descriptor.bootstrap, replicas: 0 },
    {
      identitySeed: async () => key('p2p'),
      registry: rollup.registry,
      unsafe: unsafeBlocks(rollup),
      onHead: rollup.onHead,
      ...servedToPeers(rollup, config.rollup),
      log,
      metrics,
      now,
    },
  );
  const rpcServer = createRpcServer(config.sequencer, rollup);

  return {
    alive: [rollup, p2p, sequencer, batcher, ...(config.sequencer.auditor ? [auditor] : []), rpcServer],
    usable: [],
    url: () => undefined,
    whenUsable: async () => undefined,
    onStarted: async () => undefined,
    onStopping: async () => undefined,
  };
}
