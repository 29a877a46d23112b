import type { Static } from 'typebox';
import { call, contract, items, OPTIONAL_SIGNAL, SIGNAL, STREAM, TIMEOUT } from '../contract.ts';
import {
  anything,
  count,
  done,
  either,
  exact,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  peerId,
  rootHash,
  text,
} from '../shape.ts';
import { serviceStates } from '../state.ts';

/** The gateway's own limit of a JSON-RPC body is a MiB unless the owner raises it. */
const MAX_RPC_BYTES = 16 * 1024 * 1024;
const MAX_RPC_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_EVENT_BYTES = 1024 * 1024;
const JOIN_TIMEOUT_MS = 120_000;

const word = text(66);
const falseAssertion = exact({
  nodeId: word,
  status: oneOf('live', 'dead', 'confirmed'),
  reason: oneOf('state', 'no such state', 'parent'),
  stake: count,
  l1Block: count,
  batch: count,
  asserted: exact({ blockHash: word, sendRoot: word }),
  derived: optional(exact({ block: count, blockHash: word, sendRoot: word })),
});

const challenge = exact({
  id: word,
  side: oneOf('opener', 'responder'),
  opponent: text(64),
  onL1: oneOf('none', 'open', 'closed'),
  round: count,
  heardRound: count,
  turn: nullable(oneOf('own', 'opponent')),
  leftSeconds: nullable(number),
  next: oneOf('nothing', 'talk', 'open', 'answer', 'settle', 'timeout', 'lost'),
  urgent: flag,
  waiting: optional(text(4096)),
});

const l1Endpoint = exact({
  url: text(512),
  standing: oneOf('good', 'lagging', 'silent', 'disagrees', 'uncompared'),
  head: nullable(count),
  lag: nullable(count),
  answers: count,
  failures: count,
  problem: optional(text(4096)),
});

const standing = exact({
  status: text(64),
  validUntil: optional(text(64)),
  endsAt: optional(text(64)),
  drainsUntil: optional(text(64)),
  appealUntil: optional(text(64)),
  appealedAt: optional(text(64)),
});

const auditorQueue = exact({
  account: text(42),
  isAuditor: flag,
  due: list(
    exact({
      peerId: text(128),
      nodeId: word,
      owner: text(42),
      why: oneOf('application', 'appeal', 'lapsed', 'suspended', 'warned', 'attestation'),
      at: text(64),
      standing,
    }),
    1_000,
  ),
});

const judged = { peerId: text(128), evidence: word };
const reason = oneOf('harm', 'report', 'no-evidence', 'false-evidence', 'split-log', 'lost-data', 'other');
const decision = either(
  exact({ verb: oneOf('attest'), ...judged, validUntil: count }),
  exact({ verb: oneOf('warn', 'suspend', 'eject'), ...judged, reason }),
  exact({ verb: oneOf('readmit'), ...judged }),
);

const rollupState = exact({
  services: serviceStates,
  heads: nullable(exact({ unsafe: count, safe: count, finalized: count })),
  peers: nullable(count),
  membership: nullable(standing),
  anchored: nullable(
    exact({
      auditSize: count,
      auditRoot: nullable(rootHash),
      safeBlock: nullable(text(80)),
      pending: count,
      waiting: optional(text(4096)),
    }),
  ),
  assertions: nullable(
    exact({
      mode: oneOf('watching', 'asserting'),
      state: oneOf('unseen', 'sound', 'false-pending', 'false-confirmed'),
      l1Block: nullable(count),
      confirmedBatch: nullable(count),
      confirmedBlock: nullable(count),
      pending: count,
      false: list(falseAssertion, 64),
      challenges: optional(list(challenge, 256)),
      waiting: optional(text(4096)),
    }),
  ),
  l1: nullable(
    exact({
      block: nullable(count),
      endpoints: list(l1Endpoint, 64),
      disagreement: optional(text(4096)),
      waiting: optional(text(4096)),
    }),
  ),
  /** Members of whose audit logs there are two stories. */
  splitLogs: list(peerId, 4_096),
  recalled: nullable(exact({ epoch: count, answered: count, silent: count, newest: count })),
});
export type RollupState = Static<typeof rollupState>;

/** Of a subscription; one shape for all, since a union of exact shapes says nothing more to its one reader. */
const subscriptionItem = exact({
  kind: oneOf('opened', 'refused', 'event', 'ended'),
  code: optional(number),
  message: optional(text(1024)),
  result: optional(anything),
  reason: optional(text(1024)),
});
const networkState = exact({
  addresses: list(text(512), 256),
  membership: text(64),
  standing,
  problem: optional(text(512)),
});
export type NetworkState = Static<typeof networkState>;

const peer = exact({ peerId, address: text(512), direction: oneOf('inbound', 'outbound'), since: text(64) });

const withdrawal = exact({
  id: nullable(count),
  state: oneOf('sent', 'ordered', 'batched', 'asserted', 'claimable', 'claimed', 'failed'),
  to: text(42),
  amountWei: text(78),
  transaction: text(66),
  block: nullable(count),
  claimableAt: nullable(text(64)),
});

const stake = exact({
  state: oneOf('staking', 'staked', 'leaving', 'none'),
  account: text(42),
  balanceWei: text(78),
  requiredWei: text(78),
  owedWei: text(78),
  stakeId: nullable(count),
  amountWei: nullable(text(78)),
  standsOn: nullable(word),
  returnableAt: nullable(text(64)),
  waiting: optional(text(4096)),
});

/** What the gateway may ask of the rollup role. */
export const rollup = contract('rollup', {
  state: call({ args: [TIMEOUT], returns: rollupState }),
  /** `answer` is absent when the body held notifications only. The second argument is who asks: a token's id. */
  rpc: call({
    args: [anything, optional(text(64)), OPTIONAL_SIGNAL],
    returns: exact({ answer: optional(anything) }),
    maxInputBytes: MAX_RPC_BYTES,
    maxOutputBytes: MAX_RPC_ANSWER_BYTES,
  }),
  /** Says first whether the subscription is taken, then what happens; ends with the caller's signal. */
  subscribe: call({
    args: [anything, text(64), SIGNAL],
    returns: items(subscriptionItem),
    maxOutputBytes: MAX_EVENT_BYTES,
  }),
  peers: call({ args: [], returns: list(peer, 10_000), maxOutputBytes: MAX_RPC_BYTES }),
  network: call({ args: [], returns: networkState }),
  join: call({
    args: [],
    returns: exact({ membership: text(64), transaction: optional(text(128)) }),
    timeoutMs: JOIN_TIMEOUT_MS,
  }),
  leave: call({
    args: [],
    returns: exact({ membership: text(64), transaction: text(128) }),
    timeoutMs: JOIN_TIMEOUT_MS,
  }),
  appeal: call({
    args: [exact({ evidence: text(66) })],
    returns: exact({ membership: text(64), transaction: text(128) }),
    timeoutMs: JOIN_TIMEOUT_MS,
  }),
  auditorQueue: call({ args: [], returns: auditorQueue, timeoutMs: JOIN_TIMEOUT_MS, maxOutputBytes: MAX_EVENT_BYTES }),
  auditorDecide: call({
    args: [decision],
    returns: exact({ nodeId: word, transaction: text(128), isIncluded: flag }),
    timeoutMs: JOIN_TIMEOUT_MS,
  }),
  withdraw: call({
    args: [exact({ to: text(42), amountWei: text(78) })],
    returns: exact({ transaction: text(66) }),
    timeoutMs: JOIN_TIMEOUT_MS,
  }),
  withdrawals: call({ args: [], returns: list(withdrawal, 100_000), maxOutputBytes: MAX_RPC_ANSWER_BYTES }),
  claim: call({ args: [exact({ id: count })], returns: done, timeoutMs: JOIN_TIMEOUT_MS }),
  stakeStatus: call({ args: [], returns: stake, timeoutMs: JOIN_TIMEOUT_MS }),
  setStaking: call({ args: [exact({ wanted: flag })], returns: stake, timeoutMs: JOIN_TIMEOUT_MS }),
  /** The state at the latest confirmed assertion, for a node that begins. */
  snapshot: call({ args: [], returns: STREAM }),
  rewind: call({
    args: [exact({ to: optional(count) })],
    returns: exact({ from: count, to: count }),
  }),
  anchors: call({
    args: [],
    returns: list(exact({ size: count, root: rootHash, where: text(256), at: optional(count) }), 1024),
  }),
});
