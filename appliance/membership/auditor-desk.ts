import { setTimeout as delay } from 'node:timers/promises';
import { Interface } from 'ethers';
import { NodeRegistryAbi } from '../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { AUDIT_REASONS, type AuditReason } from '../../protocol/network/due-process.ts';
import { PREDEPLOYS } from '../../protocol/rollup/genesis.ts';
import { type MembershipStanding, standingOf } from './standing.ts';

const NODE_REGISTRY = new Interface([...NodeRegistryAbi]);
/** A member is due so long before its attestation ends. */
const DUE_S = 30n * 86_400n;
/** Entries of one queue; more wait until these are decided. */
const MAX_ITEMS = 1_000;
const RECEIPT_POLL_MS = 250;
/** A minute: half of what the gateway waits for an answer. */
const RECEIPT_POLLS = 240;
/** What leaves a node in no list of the registry: it is found by its events. */
const UNLISTED_BY = ['NodeSuspended', 'NodeLapsed', 'NodeAppealed', 'NodeReadmitted'];

interface Entry {
  readonly nodeId: Hex;
  readonly peerId: PeerIdText;
  readonly owner: Hex;
  readonly status: string;
  readonly appliedAt: bigint;
  readonly attestedAt: bigint;
  readonly validUntil: bigint;
  readonly ejectedAt: bigint;
  readonly appealedAt: bigint;
}

export type DueReason = 'application' | 'appeal' | 'lapsed' | 'suspended' | 'warned' | 'attestation';

/** An entry that waits for an auditor. */
export interface DueEntry {
  readonly peerId: string;
  readonly nodeId: string;
  readonly owner: string;
  readonly why: DueReason;
  /** Since when it waits, or when it must be done. ISO 8601. */
  readonly at: string;
  readonly standing: MembershipStanding;
}

export interface AuditorQueue {
  readonly account: string;
  /** Whether this node's account is an accredited auditor: others read the queue too. */
  readonly isAuditor: boolean;
  /** The oldest first. */
  readonly due: readonly DueEntry[];
}

export type Decision =
  | { readonly verb: 'attest'; readonly peerId: string; readonly evidence: string; readonly validUntil: number }
  | {
      readonly verb: 'warn' | 'suspend' | 'eject';
      readonly peerId: string;
      readonly evidence: string;
      readonly reason: AuditReason;
    }
  | { readonly verb: 'readmit'; readonly peerId: string; readonly evidence: string };

export interface Decided {
  readonly nodeId: string;
  readonly transaction: string;
  /** Whether the own chain has it. False: the sequencer took it, and no block came in time. */
  readonly isIncluded: boolean;
}

export interface AuditorDeskDeps {
  /** With what L1 has not confirmed yet. */
  readonly registry: {
    pending(): Promise<readonly Entry[]>;
    listed(): Promise<readonly Entry[]>;
    holder(peerId: PeerIdText): Promise<Entry | undefined>;
    entry(nodeId: Hex): Promise<Entry | undefined>;
  };
  readonly account: {
    address(): Hex;
    send(tx: { to: Hex; data: Hex }): Promise<Hex>;
    receipt(hash: Hex): Promise<{ readonly status: 0 | 1 } | undefined>;
  };
  readonly call: (request: { to: Hex; data: Hex }) => Promise<Hex>;
  /** JSON-RPC on the own chain. */
  readonly rpc: (body: unknown) => Promise<unknown>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What an accredited auditor does through its own node: the node's operator account is the auditor's. */
export interface AuditorDesk {
  queue(): Promise<AuditorQueue>;
  /** Throws NETWORK_NOT_AUDITOR, NETWORK_ENTRY_UNKNOWN, NETWORK_DECISION_REFUSED. */
  decide(decision: Decision): Promise<Decided>;
}

/** In which states the registry takes a decision, and what else it asks for. */
const RULES: Readonly<Record<Decision['verb'], { readonly from: readonly string[]; readonly rule: string }>> = {
  attest: {
    from: ['applied', 'active', 'warned', 'suspended'],
    rule: 'an applicant, a member or a suspended node, for 400 days at most, while no other entry holds its peer id',
  },
  warn: { from: ['active'], rule: 'only an active node is warned' },
  suspend: {
    from: ['applied', 'warned', 'suspended'],
    rule: 'an active node is warned first; who warned it waits 7 days, or another auditor suspends it',
  },
  eject: {
    from: ['applied', 'active', 'warned', 'suspended', 'draining', 'left'],
    rule: 'each auditor votes once; a node that drains is ejected for harm alone, and an ejected one is out',
  },
  readmit: {
    from: ['draining', 'ejected'],
    rule: 'only a node that was voted out, once by each auditor; who voted it out does not judge its appeal',
  },
};

export function createAuditorDesk(deps: AuditorDeskDeps): AuditorDesk {
  const { registry, account } = deps;

  async function isAuditor(): Promise<boolean> {
    const data = NODE_REGISTRY.encodeFunctionData('isAuditor', [account.address()]) as Hex;
    const answer = await deps.call({ to: PREDEPLOYS.nodeRegistry, data });
    return NODE_REGISTRY.decodeFunctionResult('isAuditor', answer).at(0) as boolean;
  }

  /** Entries that are in no list of the registry, by what it reported of them. */
  async function unlisted(): Promise<Entry[]> {
    const topics = [UNLISTED_BY.map((name) => NODE_REGISTRY.getEvent(name)?.topicHash)];
    const filter = { address: PREDEPLOYS.nodeRegistry, topics, fromBlock: '0x0', toBlock: 'latest' };
    const answer = await deps.rpc({ jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [filter] });
    const { result } = answer as { result?: readonly { readonly topics: readonly Hex[] }[] };
    const ids = new Set((result ?? []).flatMap((log) => log.topics.slice(1, 2)));
    const found: Entry[] = [];
    for (const nodeId of [...ids].slice(-MAX_ITEMS)) {
      const entry = await registry.entry(nodeId);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** Among applications first: an applicant holds its peer id only once an auditor has passed it. */
  async function find(peerId: string): Promise<Entry> {
    const applied = (await registry.pending()).find((entry) => entry.peerId === peerId);
    const entry = applied ?? (await registry.holder(peerId as PeerIdText)) ?? (await findUnlisted(peerId));
    if (entry === undefined) throw new NectarError('NETWORK_ENTRY_UNKNOWN', { peerId });
    return entry;
  }

  async function findUnlisted(peerId: string): Promise<Entry | undefined> {
    return (await unlisted()).find((entry) => entry.peerId === peerId);
  }

  async function waitForReceipt(transaction: Hex): Promise<{ readonly status: 0 | 1 } | undefined> {
    for (let poll = 0; poll < RECEIPT_POLLS; poll += 1) {
      const receipt = await account.receipt(transaction);
      if (receipt !== undefined) return receipt;
      await delay(RECEIPT_POLL_MS);
    }
    return undefined;
  }

  return {
    async queue() {
      const entries = [...(await registry.pending()), ...(await registry.listed()), ...(await unlisted())];
      const each = new Map(entries.map((entry) => [entry.nodeId, entry]));
      const due = [...each.values()].flatMap((entry) => describeDue(entry, BigInt(Math.floor(deps.now() / 1000))));
      due.sort((a, b) => a.at.localeCompare(b.at));
      return { account: account.address(), isAuditor: await isAuditor(), due: due.slice(0, MAX_ITEMS) };
    },
    async decide(decision) {
      if (!(await isAuditor())) throw new NectarError('NETWORK_NOT_AUDITOR', { account: account.address() });
      const { verb, peerId } = decision;
      const { nodeId, status } = await find(peerId);
      const { from, rule } = RULES[verb];
      const refused = new NectarError('NETWORK_DECISION_REFUSED', { verb, status, rule });
      if (!from.includes(status)) throw refused;
      const data = encodeDecision(decision, nodeId);
      const transaction = await account.send({ to: PREDEPLOYS.nodeRegistry, data }).catch((cause: unknown) => {
        if (!isNectarError(cause, 'ROLLUP_ACCOUNT_CALL_REVERTED')) throw cause;
        throw new NectarError('NETWORK_DECISION_REFUSED', { verb, status, rule }, { cause });
      });
      // Another auditor, or an earlier vote that the own state did not have yet, may have come between.
      const receipt = await waitForReceipt(transaction);
      if (receipt?.status === 0) throw refused;
      return { nodeId, transaction, isIncluded: receipt !== undefined };
    },
  };
}

function encodeDecision(decision: Decision, nodeId: Hex): Hex {
  const { verb, evidence } = decision;
  const encode = (args: readonly unknown[]): Hex => NODE_REGISTRY.encodeFunctionData(verb, args) as Hex;
  if (verb === 'attest') return encode([nodeId, BigInt(decision.validUntil), evidence]);
  if (verb === 'readmit') return encode([nodeId, evidence]);
  const reason = AUDIT_REASONS[decision.reason];
  // The end that the node has stays: the grace period is what it has to put things right.
  return verb === 'warn' ? encode([nodeId, reason, 0n, evidence]) : encode([nodeId, reason, evidence]);
}

/** Nothing where no auditor is waited for. */
function describeDue(entry: Entry, now: bigint): DueEntry[] {
  const due = dueOf(entry, now);
  if (due === undefined) return [];
  const { peerId, nodeId, owner } = entry;
  const at = new Date(Number(due.at) * 1000).toISOString();
  return [{ peerId, nodeId, owner, why: due.why, at, standing: standingOf(entry) }];
}

function dueOf(entry: Entry, now: bigint): { why: DueReason; at: bigint } | undefined {
  const { status, appliedAt, attestedAt, validUntil, ejectedAt, appealedAt } = entry;
  if (status === 'applied') return { why: 'application', at: appliedAt };
  if (status === 'warned') return { why: 'warned', at: validUntil };
  if (status === 'active') return validUntil - now < DUE_S ? { why: 'attestation', at: validUntil } : undefined;
  if (ejectedAt !== 0n) return appealedAt === 0n ? undefined : { why: 'appeal', at: appealedAt };
  if (status !== 'suspended') return undefined;
  return validUntil > attestedAt && validUntil < now
    ? { why: 'lapsed', at: validUntil }
    : { why: 'suspended', at: attestedAt };
}
