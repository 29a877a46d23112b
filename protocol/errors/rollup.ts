import { define, EXIT } from './definition.ts';

export const ROLLUP_ERRORS = {
  ROLLUP_L1_BINARY_MISSING: define<{ platform: string }>({
    message: ({ platform }) => `no development L1 (anvil) is installed for ${platform}`,
    remedy: 'Install the dependencies again with optional packages included; or join a network whose L1 is elsewhere.',
    http: 501,
    exit: EXIT.config,
  }),
  ROLLUP_L1_NOT_STARTED: define<{ port: number; log: string }>({
    message: ({ port, log }) => `the development L1 did not start on port ${port}, see ${log}`,
    remedy: 'Choose another port when this one is taken; the log file holds what anvil said.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  ROLLUP_L1_UNREACHABLE: define<{ method: string; reason: string }>({
    message: ({ method, reason }) => `no L1 endpoint answered ${method}: ${reason}`,
    remedy:
      'Check that the L1 RPC endpoints of the configuration are up and reachable, by the proxy (rollup.proxyUrl) and with the authority (rollup.caFile) of the site where it has them. The node keeps what it has, retries by itself and catches up.',
    http: 503,
    exit: EXIT.unreachable,
    severity: 'temporary',
  }),
  ROLLUP_L1_REFUSED: define<{ method: string; code: number }>({
    message: ({ method, code }) => `the L1 endpoint refused ${method} with code ${code}`,
    remedy:
      'The L1 endpoint answered with a JSON-RPC error. Check that it serves the method and the history that the node needs.',
    http: 502,
    exit: EXIT.unreachable,
    severity: 'temporary',
  }),
  ROLLUP_L1_RESPONSE_INVALID: define<{ what: string }>({
    message: ({ what }) => `the L1 endpoint answered with an invalid ${what}`,
    remedy:
      'What the L1 endpoint said does not hash to what L1 committed to: it is faulty or lying. Use another endpoint.',
    http: 502,
    exit: EXIT.checksFailed,
    severity: 'temporary',
  }),
  ROLLUP_L1_REORGED: define<{ number: bigint }>({
    message: ({ number }) => `L1 block ${number} was replaced`,
    remedy: 'Nothing to do: the node goes back to the last common L1 block and derives again.',
    http: 503,
    exit: EXIT.unreachable,
    severity: 'reset',
  }),
  ROLLUP_L1_CHAIN_MISMATCH: define<{ what: string; expected: string; actual: string }>({
    message: ({ what, expected, actual }) =>
      `the L1 endpoint serves another chain: ${what} is ${actual}, expected ${expected}`,
    remedy: 'Point the node at an endpoint of the L1 that the network descriptor names.',
    http: 502,
    exit: EXIT.config,
    severity: 'critical',
  }),
  ROLLUP_DERIVE_ACCUMULATOR_INVALID: define<{ contract: string; index: bigint }>({
    message: ({ contract, index }) =>
      `the accumulator of ${contract} at ${index} does not follow from the events before it`,
    remedy:
      'The L1 contracts and this version disagree about the inbox format. Check the network descriptor and upgrade the node.',
    http: 500,
    exit: EXIT.checksFailed,
    severity: 'critical',
  }),
  ROLLUP_DERIVE_STATE_INVALID: define<{ what: string }>({
    message: ({ what }) => `the derivation state does not fit: ${what}`,
    remedy:
      'The node derives again from the last sound point. When it repeats, remove HOME/rollup/db and let the node rebuild it from L1.',
    http: 500,
    exit: EXIT.checksFailed,
    severity: 'reset',
  }),
  ROLLUP_SEQUENCER_REFUSED: define<{ reason: string }>({
    message: ({ reason }) => `the sequencer does not take the transaction: ${reason}`,
    remedy: 'Correct the transaction as the reason says (nonce, fee, balance, size) and send it again.',
    http: 422,
    exit: EXIT.usage,
  }),
  ROLLUP_SEQUENCER_FULL: define<{ limit: string }>({
    message: ({ limit }) => `the transaction pool is full (${limit})`,
    remedy: 'Wait for pending transactions to enter a block and send again.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  ROLLUP_SEQUENCER_UNREACHABLE: define<{ method: string }>({
    message: ({ method }) => `the sequencer did not answer ${method}`,
    remedy: 'Nothing was sent. The node goes on following L1; send again when the sequencer is back.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  ROLLUP_SEQUENCER_RPC_PORT: define<{ host: string; port: number }>({
    message: ({ host, port }) => `the sequencer cannot listen on ${host}:${port}`,
    remedy: 'Another program holds the port: choose another one.',
    http: 500,
    exit: EXIT.config,
  }),
  ROLLUP_BATCHER_BLOCK_TOO_LARGE: define<{ number: bigint; bytes: number }>({
    message: ({ number, bytes }) => `L2 block ${number} alone makes a batch of ${bytes} bytes, more than L1 takes`,
    remedy: 'A bug: the sequencer bounds its blocks so that each fits. Please report it with the block number.',
    http: 500,
    exit: EXIT.bug,
  }),
  ROLLUP_ACCOUNT_CALL_REVERTED: define<{ to: string }>({
    message: ({ to }) => `the call to ${to} would revert`,
    remedy: 'The contract refuses this call in the present state; the cause carries its reason.',
    http: 409,
    exit: EXIT.usage,
  }),
  ROLLUP_ACCOUNT_FUNDS: define<{ address: string }>({
    message: ({ address }) => `the operator account ${address} cannot pay for the transaction`,
    remedy: 'Send ETH to the operator account, by a deposit on L1 or a transfer on L2.',
    http: 402,
    exit: EXIT.usage,
  }),
  ROLLUP_STATE_MISSING: define<{ hash: string }>({
    message: ({ hash }) => `the state holds nothing under hash ${hash}`,
    remedy:
      'The chain database is incomplete or damaged. Stop the node, remove HOME/rollup/db and start it: it rebuilds the chain from L1.',
    http: 500,
    exit: EXIT.checksFailed,
    severity: 'critical',
  }),
  ROLLUP_BLOCK_INPUT_INVALID: define<{ number: bigint; reason: string }>({
    message: ({ number, reason }) => `the inputs of L2 block ${number} are invalid: ${reason}`,
    remedy: 'The inputs break a rule that derivation checks before it builds a block. Please report it.',
    http: 500,
    exit: EXIT.checksFailed,
    severity: 'critical',
  }),
  ROLLUP_BLOCK_MISMATCH: define<{ number: bigint; expected: string; actual: string }>({
    message: ({ number, expected, actual }) =>
      `L2 block ${number} is ${actual} when executed, not ${expected} as announced`,
    remedy: 'The sequencer announced a block that its own inputs do not give. The node ignores it and follows L1.',
    http: 502,
    exit: EXIT.checksFailed,
    severity: 'reset',
  }),
  ROLLUP_BLOCK_DETACHED: define<{ number: bigint; head: bigint }>({
    message: ({ number, head }) => `L2 block ${number} does not build on the head, block ${head}`,
    remedy: 'A gap or a fork in the unsafe chain. The node fetches what is missing from peers or derives it from L1.',
    http: 409,
    exit: EXIT.checksFailed,
    severity: 'reset',
  }),
  ROLLUP_UNSAFE_BLOCK_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the announced L2 block is invalid: ${reason}`,
    remedy: 'A peer sent a block that the sequencer did not sign or that is not well formed. It was dropped.',
    http: 400,
    exit: EXIT.checksFailed,
  }),
  ROLLUP_GENESIS_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the L2 genesis cannot be built: ${reason}`,
    remedy:
      'The network descriptor or the contracts of this version are wrong. Check the descriptor and upgrade the node.',
    http: 500,
    exit: EXIT.config,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_GENESIS_MISMATCH: define<{ expected: string; actual: string }>({
    message: ({ expected, actual }) =>
      `the chain database belongs to genesis ${actual}, the network descriptor to ${expected}`,
    remedy:
      'The home holds the chain of another network. Use the right descriptor, or remove HOME/rollup/db to follow the new one.',
    http: 500,
    exit: EXIT.config,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_INVALID: define<{ what: string }>({
    message: ({ what }) => `the chain database holds a ${what} that does not authenticate`,
    remedy:
      'The database was changed from outside, or opened with another key. Remove HOME/rollup/db and start the node: it rebuilds the chain from L1.',
    http: 500,
    exit: EXIT.checksFailed,
    severity: 'critical',
  }),
  ROLLUP_DATABASE_FAILED: define<{ operation: string }>({
    message: ({ operation }) => `the chain database did not ${operation}`,
    remedy:
      'Check the disk that holds HOME/rollup/db and the permissions of the folder. Everything committed before is intact.',
    http: 500,
    exit: EXIT.config,
    severity: 'critical',
  }),
};
