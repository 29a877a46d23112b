import { EXIT } from '../../appliance/exit-code.ts';
import type { ROLLUP_ERRORS } from '../../protocol/errors/rollup.ts';
import type { Guidance } from './guidance.ts';

export const ROLLUP_GUIDANCE: Record<keyof typeof ROLLUP_ERRORS, Guidance> = {
  ROLLUP_L1_BINARY_MISSING: {
    exit: EXIT.config,
    remedy: 'Install the dependencies again with optional packages included; or join a network whose L1 is elsewhere.',
  },
  ROLLUP_L1_NOT_STARTED: {
    exit: EXIT.unreachable,
    remedy: 'The log file holds what anvil said; `nectar-byon devnet up --port l1=8546` takes another port.',
  },
  ROLLUP_L1_UNREACHABLE: {
    exit: EXIT.unreachable,
    remedy:
      'Check that the L1 RPC endpoints of the configuration are up and reachable, by the proxy (rollup.proxyUrl) and with the authority (rollup.caFile) of the site where it has them. The node keeps what it has, retries by itself and catches up.',
  },
  ROLLUP_L1_REFUSED: {
    exit: EXIT.unreachable,
    remedy:
      'The L1 endpoint answered with a JSON-RPC error. Check that it serves the method and the history that the node needs.',
  },
  ROLLUP_L1_RESPONSE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'What the L1 endpoint said does not hash to what L1 committed to: it is faulty or lying. Use another endpoint.',
  },
  ROLLUP_L1_BLOBS_UNREADABLE: {
    exit: EXIT.unreachable,
    remedy:
      'Nothing is lost: the node keeps what it has and asks again, the beacon nodes of rollup.beaconUrls first, then its peers. Add a beacon node that still has the blobs of that time (they are kept for some 18 days; an archive keeps them for good), or let the node reach a peer that derived the batch.',
  },
  ROLLUP_L1_ENDPOINTS_DISAGREE: {
    exit: EXIT.checksFailed,
    remedy:
      'At least one of the endpoints of rollup.l1RpcUrls is faulty, of another chain, or lies; the log names it. Find out which, and remove it. The node believes a replacement so deep only when every endpoint says so; it goes on by itself once one that extends what it has verified answers.',
  },
  ROLLUP_L1_REORGED: {
    exit: EXIT.unreachable,
    remedy: 'Nothing to do: the node goes back to the last common L1 block and derives again.',
  },
  ROLLUP_L1_CHAIN_MISMATCH: {
    exit: EXIT.config,
    remedy: 'Point the node at an endpoint of the L1 that the network descriptor names.',
  },
  ROLLUP_DERIVE_ACCUMULATOR_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The L1 contracts and this version disagree about the inbox format. Check the network descriptor and upgrade the node.',
  },
  ROLLUP_DERIVE_STATE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The node derives again from the last sound point. When it repeats, put the database aside with `nectar-byon chain rebuild`.',
  },
  ROLLUP_REWIND_REFUSED: {
    exit: EXIT.usage,
    remedy: 'Name a block between the two, or none: then everything that L1 has not confirmed is given up.',
  },
  ROLLUP_SNAPSHOT_UNAVAILABLE: {
    exit: EXIT.unreachable,
    remedy: 'Wait for the next assertion that L1 confirms (`nectar-byon status`, line assertions), then try again.',
  },
  ROLLUP_SNAPSHOT_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'Nothing of it was kept. Get it again, from another member if need be; without one the node derives everything from L1.',
  },
  ROLLUP_WITHDRAWAL_UNKNOWN: {
    exit: EXIT.usage,
    remedy: 'List them with `nectar-byon chain withdrawals`; one that is only sent has no number yet.',
  },
  ROLLUP_WITHDRAWAL_NOT_CLAIMABLE: {
    exit: EXIT.usage,
    remedy:
      'Wait until `nectar-byon chain withdrawals` says claimable: L1 must have confirmed an assertion that holds it. What is claimed already needs nothing.',
  },
  ROLLUP_WITHDRAWAL_UNCERTAIN: {
    exit: EXIT.unreachable,
    remedy:
      'Its transaction may still be mined. Look at `nectar-byon chain withdrawals`, and claim again while it says claimable: L1 pays once.',
  },
  ROLLUP_SEQUENCER_REFUSED: {
    exit: EXIT.usage,
    remedy: 'Correct the transaction as the reason says (nonce, fee, balance, size) and send it again.',
  },
  ROLLUP_SEQUENCER_FULL: {
    exit: EXIT.unreachable,
    remedy: 'Wait for pending transactions to enter a block and send again.',
  },
  ROLLUP_SEQUENCER_UNREACHABLE: {
    exit: EXIT.unreachable,
    remedy: 'Nothing was sent. The node goes on following L1; send again when the sequencer is back.',
  },
  ROLLUP_SEQUENCER_RPC_PORT: {
    exit: EXIT.config,
    remedy: 'Another program holds the port: choose another one.',
  },
  ROLLUP_BATCHER_BLOCK_TOO_LARGE: {
    exit: EXIT.bug,
    remedy: 'A bug: the sequencer bounds its blocks so that each fits. Please report it with the block number.',
  },
  ROLLUP_ACCOUNT_CALL_REVERTED: {
    exit: EXIT.usage,
    remedy: 'The contract refuses this call in the present state; the cause carries its reason.',
  },
  ROLLUP_ACCOUNT_FUNDS: {
    exit: EXIT.usage,
    remedy: 'Send ETH to the operator account, by a deposit on L1 or a transfer on L2.',
  },
  ROLLUP_NOT_ASSERTING: {
    exit: EXIT.usage,
    remedy:
      'Set `rollup.validator.enabled` in the configuration (docs/reference/config.md) and start the node again: then it stakes by itself.',
  },
  ROLLUP_STAKE_FUNDS: {
    exit: EXIT.usage,
    remedy: 'Send ETH to that account on L1: the stake, and some for the gas of its assertions and challenges.',
  },
  ROLLUP_STATE_MISSING: {
    exit: EXIT.checksFailed,
    remedy:
      'The chain database is incomplete or damaged. `nectar-byon down` and `nectar-byon chain rebuild` put it aside; `nectar-byon up` derives the chain again from L1.',
  },
  ROLLUP_PREIMAGE_MISSING: {
    exit: EXIT.checksFailed,
    remedy:
      'The chain database does not reach the disputed block, or is damaged. `nectar-byon down` and `nectar-byon chain rebuild` put it aside; `nectar-byon up` derives the chain again from L1. Batches in blobs are read from the archive.',
  },
  ROLLUP_PREIMAGE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The chain database is damaged. `nectar-byon down` and `nectar-byon chain rebuild` put it aside; `nectar-byon up` derives the chain again from L1.',
  },
  ROLLUP_PROOF_FAILED: {
    exit: EXIT.bug,
    remedy:
      'The reason says whether the prover (bb of @aztec/bb.js 5.0.0), the circuit or the step is at fault. Install the node again where a file is missing or another one; otherwise report it with the reason: the verifier by re-execution needs no prover.',
  },
  ROLLUP_SRS_INVALID: {
    exit: EXIT.config,
    remedy:
      "Put the string that the network's descriptor pins into the folder: docs/design/0035-step-circuit.md says where the public one comes from and how to check it. A development string is for development networks alone.",
  },
  ROLLUP_MACHINE_INVALID: {
    exit: EXIT.bug,
    remedy: 'machine.wasm is not the file that this version was released with. Install the node again.',
  },
  ROLLUP_MACHINE_MISMATCH: {
    exit: EXIT.config,
    remedy:
      'Another machine is another chain. Install the version of the node that the network runs: its operator says which. A devnet of an older version is made anew.',
  },
  ROLLUP_MACHINE_FAULT: {
    exit: EXIT.bug,
    remedy: 'The machine ran out of memory or has a bug. It says nothing about the block. Please report it.',
  },
  ROLLUP_MACHINE_ENDED: {
    exit: EXIT.bug,
    remedy: 'The node starts the thread again and tries once more. If it keeps ending, give the node more memory.',
  },
  ROLLUP_BLOCK_INPUT_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The inputs break a rule that derivation checks before it builds a block. Please report it.',
  },
  ROLLUP_FORK_UNKNOWN: {
    exit: EXIT.config,
    remedy:
      'The network moved to newer rules of Ethereum. Upgrade the node: it stops here rather than follow other rules.',
  },
  ROLLUP_BLOCK_MISMATCH: {
    exit: EXIT.checksFailed,
    remedy: 'The sequencer announced a block that its own inputs do not give. The node ignores it and follows L1.',
  },
  ROLLUP_BLOCK_DETACHED: {
    exit: EXIT.checksFailed,
    remedy: 'A gap or a fork in the unsafe chain. The node fetches what is missing from peers or derives it from L1.',
  },
  ROLLUP_UNSAFE_BLOCK_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'A peer sent a block that the sequencer did not sign or that is not well formed. It was dropped.',
  },
  ROLLUP_GENESIS_INVALID: {
    exit: EXIT.config,
    remedy:
      'The network descriptor or the contracts of this version are wrong. Check the descriptor and upgrade the node.',
  },
  ROLLUP_DATABASE_GENESIS_MISMATCH: {
    exit: EXIT.config,
    remedy:
      'The home holds the chain of another network. Use the right descriptor, or put the database aside with `nectar-byon chain rebuild` to follow the new one.',
  },
  ROLLUP_DATABASE_FORMAT: {
    exit: EXIT.config,
    remedy:
      'Nothing is damaged, and no record is touched: the chain can be had again from L1. Of an earlier version: `nectar-byon down`, `nectar-byon chain rebuild`, `nectar-byon up`. Of a later version: upgrade this program, or do the same.',
  },
  ROLLUP_DATABASE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The database was changed from outside, or opened with another key. Put it aside with `nectar-byon down` and `nectar-byon chain rebuild`; `nectar-byon up` derives the chain again from L1.',
  },
  ROLLUP_DATABASE_FAILED: {
    exit: EXIT.config,
    remedy:
      'Check the disk that holds HOME/rollup/db and the permissions of the folder. Everything committed before is intact; the node tries again, and goes on by itself once it can write.',
  },
};
