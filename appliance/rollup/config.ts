import Type, { type Static } from 'typebox';

const url = Type.String({ pattern: '^https?://', maxLength: 2048 });

const milliseconds = (description: string, value: number, minimum = 1) =>
  Type.Integer({ description, default: value, minimum, maximum: 86_400_000 });

const count = (description: string, value: number, minimum = 1) =>
  Type.Integer({ description, default: value, minimum, maximum: Number.MAX_SAFE_INTEGER });

/** Options of the validator: what the node holds against its own chain on L1, and whether it asserts. */
const validatorConfig = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Assert on L1 what this node derived, and lock a stake of the operator account for it. Every node watches the assertions of others, also when this is false.',
      default: false,
    }),
    pollMs: milliseconds('Pause between two looks at the assertions on L1, in milliseconds.', 12_000, 50),
    resubmitMs: milliseconds(
      'A transaction of the validator that L1 has not taken for this long is offered for more, in milliseconds.',
      60_000,
      100,
    ),
    maxFeePerGasGwei: count('The most that the validator offers for one unit of L1 gas, in gwei.', 500),
    srsFolder: Type.String({
      description:
        "Folder with bn254_g1.dat and bn254_g2.dat, the structured reference string that the network's descriptor pins, by which steps of a dispute are proved; empty: none.",
      default: '',
      maxLength: 4096,
    }),
    proverProgram: Type.String({
      description:
        'The program bb of @aztec/bb.js 5.0.0, which proves steps; empty: that of the package, where it is installed beside this one.',
      default: '',
      maxLength: 4096,
    }),
  },
  { description: 'The validator.', additionalProperties: false, default: {} },
);

/** Options of the rollup node: it follows L1, derives L2 and serves it. */
export const rollupConfig = Type.Object(
  {
    l1RpcUrls: Type.Array(url, {
      default: [],
      maxItems: 16,
      description: "JSON-RPC endpoints of L1, tried in order; empty: the network descriptor's.",
    }),
    beaconUrls: Type.Array(url, {
      default: [],
      maxItems: 16,
      description:
        "Beacon nodes of L1, which have the blobs of batches, tried in order; empty: the network descriptor's. A path may carry a key.",
    }),
    archiveBytes: Type.Integer({
      description: 'Bytes of batch data that are kept for peers and users, the oldest forgotten first; 0: none.',
      default: 8 * 1024 ** 3,
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
    archiveL1Blocks: Type.Integer({
      description: 'Batch data that L1 took longer ago than so many of its blocks is forgotten; 0: never.',
      default: 0,
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
    sequencerRpcUrls: Type.Array(url, {
      default: [],
      maxItems: 16,
      description: "JSON-RPC endpoints to which transactions are forwarded; empty: the network descriptor's.",
    }),
    proxyUrl: Type.String({
      default: '',
      pattern: '^(https?://.*)?$',
      maxLength: 2048,
      description: 'HTTP proxy on the way to L1 and the sequencer; empty: HTTP_PROXY, HTTPS_PROXY and NO_PROXY.',
    }),
    caFile: Type.String({
      default: '',
      maxLength: 4096,
      description: 'PEM file with further certificate authorities for L1, the sequencer and the proxy; empty: none.',
    }),
    l1PollMs: milliseconds('Pause between two looks at L1 in milliseconds.', 1_000, 50),
    l1CompareMs: milliseconds('Pause between two comparisons of several L1 endpoints in milliseconds.', 15_000, 100),
    l1MaxLagBlocks: count(
      'Blocks by which an L1 endpoint may be behind the best one before others are asked first.',
      5,
    ),
    l1ReorgDepth: count(
      'L1 blocks below the head at which all endpoints must say the same; of several, one alone is not believed beyond.',
      16,
    ),
    l1TimeoutMs: milliseconds('Longest wait for one L1 answer in milliseconds.', 10_000, 100),
    l1MaxBackoffMs: milliseconds('Longest pause while L1 does not answer in milliseconds.', 30_000, 50),
    l1StaleMs: milliseconds(
      'L1 silent, or not to be followed, for longer than this makes the node not ready, in milliseconds.',
      12_000,
      1_000,
    ),
    l1HeadStaleMs: milliseconds(
      'A newest L1 block older than this makes the node not ready, in milliseconds; 0: never.',
      300_000,
      0,
    ),
    l2HeadStaleMs: milliseconds(
      'A newest L2 block older than this makes the node not ready, in milliseconds; 0: never.',
      300_000,
      0,
    ),
    sequencerSilentMs: milliseconds(
      'A sequencer that makes no block and answers nothing for longer than this, where it answered before, makes the node not ready, in milliseconds; 0: never, and it is not asked.',
      20_000,
      0,
    ),
    safeHeadStaleMs: milliseconds(
      'A newest L2 block confirmed by L1 that is older than this makes the node not ready, in milliseconds; 0: never.',
      900_000,
      0,
    ),
    l1MaxResponseBytes: count('Longest L1 answer in bytes.', 32 * 1024 * 1024, 65_536),
    forwardTimeoutMs: milliseconds('Longest wait for the sequencer in milliseconds.', 10_000, 100),
    forceAfterMs: milliseconds(
      'A transaction of the node that L1 has not confirmed for this long is forced through L1, in milliseconds.',
      1_800_000,
      100,
    ),
    evmThreads: Type.Integer({
      description: 'Threads that run eth_call and its kin.',
      default: 1,
      minimum: 1,
      maximum: 32,
    }),
    evmDeadlineMs: milliseconds('Longest run of one eth_call in milliseconds.', 5_000, 10),
    evmMaxQueued: count('Calls that may wait for a thread; a quarter of them of one token.', 64),
    evmBudgetMs: milliseconds(
      'Computing time that one token may use at once, in milliseconds; half of each second comes back.',
      10_000,
      100,
    ),
    stateHistoryHours: Type.Integer({
      description:
        'State of the last so many hours is kept, before the finalized L2 block and the last confirmed assertion; older state is removed, blocks and receipts stay; 0: all of it.',
      default: 336,
      minimum: 0,
      maximum: 1_000_000,
    }),
    validator: validatorConfig,
    cacheBytes: count('Memory for recently used L2 state in bytes.', 64 * 1024 * 1024, 1_048_576),
  },
  { description: 'The rollup node.', additionalProperties: false, default: {} },
);
export type RollupConfig = Static<typeof rollupConfig>;

/** Options of the network's other side, which `run sequencer` runs. */
export const sequencerConfig = Type.Object(
  {
    rpcPort: Type.Integer({
      description: 'Port of the plain-HTTP JSON-RPC on 127.0.0.1; 0 takes any free one.',
      default: 9545,
      minimum: 0,
      maximum: 65_535,
    }),
    maxRpcBodyBytes: count('Longest JSON-RPC request in bytes.', 1024 * 1024, 1024),
    blockIntervalMs: milliseconds('Shortest time between two L2 blocks in milliseconds.', 100, 10),
    heartbeatMs: milliseconds('An empty L2 block after this long without one, in milliseconds; 0: never.', 60_000, 0),
    peerWaitMs: milliseconds(
      'After a start, the longest wait for a peer that tells which blocks were signed before, in milliseconds; 0: none. A home that was put back to an older state would sign other blocks of the same heights.',
      30_000,
      0,
    ),
    maxBlockCpuMs: milliseconds(
      'CPU that making one L2 block may take, in milliseconds: blocks hold less gas while they take more.',
      1_000,
    ),
    maxPoolTransactions: count('Transactions that wait for a block.', 4_096),
    maxPoolBytes: count('Bytes of transactions that wait for a block.', 32 * 1024 * 1024, 131_072),
    maxPoolPerAccount: count('Transactions of one account that wait for a block.', 64),
    maxPoolAgeMs: milliseconds(
      'A transaction that could not run for this long is forgotten, in milliseconds.',
      600_000,
    ),
    batchIntervalMs: milliseconds('Pause between two looks at what to post on L1, in milliseconds.', 2_000, 50),
    idleBatchIntervalMs: milliseconds('Longest time that empty blocks wait to be posted, in milliseconds.', 30_000, 0),
    maxBatchBytes: Type.Integer({
      description: 'Longest batch in bytes.',
      default: 110_000,
      minimum: 100_000,
      maximum: 110_000,
    }),
    resubmitMs: milliseconds(
      'A batch that L1 has not taken for this long is offered for more, in milliseconds.',
      30_000,
      100,
    ),
    dataAvailability: Type.Union([Type.Literal('auto'), Type.Literal('calldata'), Type.Literal('blobs')], {
      description:
        'How batches are posted on L1: by price, in calldata, or in blobs. By price needs a beacon node that gives them back.',
      default: 'auto',
    }),
    maxFeePerBlobGasGwei: count('The most that is offered for one unit of L1 blob gas, in gwei.', 500),
    maxFeePerGasGwei: count('The most that is offered for one unit of L1 gas, in gwei.', 500),
    auditor: Type.Boolean({
      description: 'Pass every node that applies. For a development network only.',
      default: false,
    }),
    auditorPollMs: milliseconds('Pause between two looks at the applications, in milliseconds.', 500, 50),
    attestationValidityS: Type.Integer({
      description: 'Validity of an attestation in seconds.',
      default: 100 * 86_400,
      minimum: 60,
      maximum: 400 * 86_400,
    }),
  },
  { description: 'Sequencer, batcher and devnet auditor.', additionalProperties: false, default: {} },
);
export type SequencerConfig = Static<typeof sequencerConfig>;
