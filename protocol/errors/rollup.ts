import { define } from './definition.ts';

export const ROLLUP_ERRORS = {
  ROLLUP_L1_BINARY_MISSING: define<{ platform: string }>({
    message: ({ platform }) => `no development L1 (anvil) is installed for ${platform}`,
  }),
  ROLLUP_L1_NOT_STARTED: define<{ port: number; log: string }>({
    message: ({ port, log }) => `the development L1 did not start on port ${port}, see ${log}`,
  }),
  ROLLUP_L1_UNREACHABLE: define<{ method: string; reason: string }>({
    message: ({ method, reason }) => `no L1 endpoint answered ${method}: ${reason}`,
    severity: 'temporary',
  }),
  ROLLUP_L1_REFUSED: define<{ method: string; code: number }>({
    message: ({ method, code }) => `the L1 endpoint refused ${method} with code ${code}`,
    severity: 'temporary',
  }),
  ROLLUP_L1_RESPONSE_INVALID: define<{ what: string }>({
    message: ({ what }) => `the L1 endpoint answered with an invalid ${what}`,
    severity: 'temporary',
  }),
  ROLLUP_L1_BLOBS_UNREADABLE: define<{ batch: bigint; reason: string }>({
    message: ({ batch, reason }) => `waiting for the data of batch ${batch}: ${reason}`,
    severity: 'temporary',
  }),
  ROLLUP_L1_ENDPOINTS_DISAGREE: define<{ number: bigint }>({
    message: ({ number }) =>
      `the L1 endpoints disagree about block ${number}, deeper than reorgs go: the node stays with what it has verified`,
    severity: 'temporary',
  }),
  ROLLUP_L1_REORGED: define<{ number: bigint }>({
    message: ({ number }) => `L1 block ${number} was replaced`,
    severity: 'reset',
  }),
  ROLLUP_L1_CHAIN_MISMATCH: define<{ what: string; expected: string; actual: string }>({
    message: ({ what, expected, actual }) =>
      `the L1 endpoint serves another chain: ${what} is ${actual}, expected ${expected}`,
    severity: 'critical',
  }),
  ROLLUP_DERIVE_ACCUMULATOR_INVALID: define<{ contract: string; index: bigint }>({
    message: ({ contract, index }) =>
      `the accumulator of ${contract} at ${index} does not follow from the events before it`,
    severity: 'critical',
  }),
  ROLLUP_DERIVE_STATE_INVALID: define<{ what: string }>({
    message: ({ what }) => `the derivation state does not fit: ${what}`,
    severity: 'reset',
  }),
  ROLLUP_REWIND_REFUSED: define<{ to: bigint; safe: bigint; unsafe: bigint }>({
    message: ({ to, safe, unsafe }) =>
      `the chain cannot be rewound to block ${to}: L1 has confirmed block ${safe}, and the newest is ${unsafe}`,
  }),
  ROLLUP_SNAPSHOT_UNAVAILABLE: define<{ reason: string }>({
    message: ({ reason }) => `no snapshot can be made now: ${reason}`,
  }),
  ROLLUP_SNAPSHOT_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the snapshot is not taken: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_WITHDRAWAL_UNKNOWN: define<{ id: number }>({
    message: ({ id }) => `there is no withdrawal ${id} in the chain that this node has`,
  }),
  ROLLUP_WITHDRAWAL_NOT_CLAIMABLE: define<{ id: number; state: string }>({
    message: ({ id, state }) => `withdrawal ${id} cannot be claimed: it is ${state}`,
  }),
  ROLLUP_WITHDRAWAL_UNCERTAIN: define<{ id: number }>({
    message: ({ id }) => `L1 has not executed the claim of withdrawal ${id} in time`,
    severity: 'temporary',
  }),
  ROLLUP_SEQUENCER_REFUSED: define<{ reason: string }>({
    message: ({ reason }) => `the sequencer does not take the transaction: ${reason}`,
  }),
  ROLLUP_SEQUENCER_FULL: define<{ limit: string }>({
    message: ({ limit }) => `the transaction pool is full (${limit})`,
  }),
  ROLLUP_SEQUENCER_UNREACHABLE: define<{ method: string }>({
    message: ({ method }) => `the sequencer did not answer ${method}`,
  }),
  ROLLUP_SEQUENCER_RPC_PORT: define<{ host: string; port: number }>({
    message: ({ host, port }) => `the sequencer cannot listen on ${host}:${port}`,
  }),
  ROLLUP_BATCHER_BLOCK_TOO_LARGE: define<{ number: bigint; bytes: number }>({
    message: ({ number, bytes }) => `L2 block ${number} alone makes a batch of ${bytes} bytes, more than L1 takes`,
  }),
  ROLLUP_ACCOUNT_CALL_REVERTED: define<{ to: string }>({
    message: ({ to }) => `the call to ${to} would revert`,
  }),
  ROLLUP_ACCOUNT_FUNDS: define<{ address: string }>({
    message: ({ address }) => `the operator account ${address} cannot pay for the transaction`,
  }),
  ROLLUP_NOT_ASSERTING: define({
    message: () => 'this node only watches what is asserted on L1: it has no stake',
  }),
  ROLLUP_STAKE_FUNDS: define<{ account: string; hasWei: bigint; requiredWei: bigint }>({
    message: ({ account, hasWei, requiredWei }) =>
      `account ${account} has ${hasWei} wei on L1, and a stake of ${requiredWei} wei and its gas are more`,
  }),
  ROLLUP_STATE_MISSING: define<{ hash: string }>({
    message: ({ hash }) => `the state holds nothing under hash ${hash}`,
    severity: 'critical',
  }),
  ROLLUP_PREIMAGE_MISSING: define<{ preimageKind: number; preimageKey: string }>({
    message: ({ preimageKind, preimageKey }) =>
      `a dispute's machine reads ${preimageKey} of kind ${preimageKind}, which this node does not have`,
    severity: 'critical',
  }),
  ROLLUP_PREIMAGE_INVALID: define<{ preimageKind: number; preimageKey: string }>({
    message: ({ preimageKind, preimageKey }) =>
      `what this node has under ${preimageKey} of kind ${preimageKind} is not what the key stands for`,
    severity: 'critical',
  }),
  ROLLUP_PROOF_FAILED: define<{ reason: string }>({
    message: ({ reason }) => `there is no proof of the step: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_SRS_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the structured reference string is not usable: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_MACHINE_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the compiled machine is not usable: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_MACHINE_MISMATCH: define<{ expected: string; actual: string }>({
    message: ({ expected, actual }) => `the network runs machine ${expected}, this version has ${actual}`,
    severity: 'critical',
  }),
  ROLLUP_MACHINE_FAULT: define<{ reason: string }>({
    message: ({ reason }) => `the machine stopped: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_MACHINE_ENDED: define<{ reason: string }>({
    message: ({ reason }) => `the thread of the machine ended: ${reason}`,
  }),
  ROLLUP_BLOCK_INPUT_INVALID: define<{ number: bigint; reason: string }>({
    message: ({ number, reason }) => `the inputs of L2 block ${number} are invalid: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_FORK_UNKNOWN: define<{ fork: number; number: bigint }>({
    message: ({ fork, number }) => `L2 block ${number} runs by fork ${fork}, which this version does not know`,
    severity: 'critical',
  }),
  ROLLUP_BLOCK_MISMATCH: define<{ number: bigint; expected: string; actual: string }>({
    message: ({ number, expected, actual }) =>
      `L2 block ${number} is ${actual} when executed, not ${expected} as announced`,
    severity: 'reset',
  }),
  ROLLUP_BLOCK_DETACHED: define<{ number: bigint; head: bigint }>({
    message: ({ number, head }) => `L2 block ${number} does not build on the head, block ${head}`,
    severity: 'reset',
  }),
  ROLLUP_UNSAFE_BLOCK_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the announced L2 block is invalid: ${reason}`,
  }),
  ROLLUP_GENESIS_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the L2 genesis cannot be built: ${reason}`,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_GENESIS_MISMATCH: define<{ expected: string; actual: string }>({
    message: ({ expected, actual }) =>
      `the chain database belongs to genesis ${actual}, the network descriptor to ${expected}`,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_FORMAT: define<{ found: number; expected: number }>({
    message: ({ found, expected }) =>
      `the chain database is of format ${found}, which ${found < expected ? 'an earlier' : 'a later'} version wrote; this one reads ${expected}`,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_INVALID: define<{ what: string }>({
    message: ({ what }) => `the chain database holds a ${what} that does not authenticate`,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_FAILED: define<{ operation: string }>({
    message: ({ operation }) => `the chain database did not ${operation}`,
  }),
};
