import { hexlify, Interface, ZeroHash } from 'ethers';
import { NodeRegistryAbi } from '../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { encodePeerId } from '../../protocol/network/node-identity.ts';
import { signNodeStatement } from '../../protocol/network/node-statement.ts';
import { PREDEPLOYS } from '../../protocol/rollup/genesis.ts';
import { type EntryTimes, type MembershipStanding, standingOf } from './standing.ts';

const NODE_REGISTRY = new Interface([...NodeRegistryAbi]);
/** INodeRegistry.KIND_BYON. */
const KIND_BYON = 1;
/** The deposit may grow by the applications of the same moment. */
const DEPOSIT_MARGIN_PERCENT = 150n;

interface RegistryEntry extends EntryTimes {
  readonly nodeId: Hex;
  readonly owner: Hex;
  readonly operator: Hex;
  readonly addresses: readonly string[];
}

/** What membership needs of the node's own chain and host. */
export interface MembershipDeps {
  readonly l2ChainId: bigint;
  readonly peerId: () => PeerIdText;
  /** The peer's secret key, which signs who may register it. */
  readonly identitySeed: () => Promise<Uint8Array>;
  /** Multiaddrs with which this node registers. */
  readonly addresses: () => readonly string[];
  readonly registry: {
    /** The entry of an owner for a peer. */
    find(peerId: PeerIdText, owner: Hex): Promise<RegistryEntry | undefined>;
    /** The entry that counts for the network, whoever owns it. */
    holder(peerId: PeerIdText): Promise<RegistryEntry | undefined>;
  };
  /** The registry with what L1 has not confirmed yet: nothing is sent twice. */
  readonly announced: { find(peerId: PeerIdText, owner: Hex): Promise<RegistryEntry | undefined> };
  readonly account: {
    address(): Hex;
    send(tx: { to: Hex; data: Hex; valueWei?: bigint }): Promise<Hex>;
  };
  /** eth_call on the own chain. */
  readonly call: (request: { to: Hex; data: Hex }) => Promise<Hex>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The node in the NodeRegistry: its status as its own state has it, and its application. */
export interface Membership {
  /** `none`, `applied`, `active`, `warned`, `suspended`, `draining`, `ejected` or `left`, with what is to come. */
  standing(): Promise<MembershipStanding>;
  /** What stands between this node and its entry, for a human; undefined when nothing does. */
  problem(): Promise<string | undefined>;
  /**
   * Applies; a node that is registered already keeps its addresses current instead. Resolves once the sequencer has taken the
   * transaction, without one when there is nothing to say. Throws NETWORK_PEER_HELD.
   */
  join(): Promise<{ membership: string; transaction?: string }>;
  /** Leaves the network. Resolves once the sequencer has taken the transaction. Throws NETWORK_LEAVE_REFUSED. */
  leave(): Promise<{ membership: string; transaction: string }>;
  /** Appeals against an ejection, with the hash of what the owner has to say. Throws NETWORK_APPEAL_REFUSED. */
  appeal(of: { readonly evidence: string }): Promise<{ membership: string; transaction: string }>;
  /** Brings the addresses of the entry up to date. Resolves with the transaction; undefined when nothing is to be said. */
  keepAddresses(): Promise<string | undefined>;
}

/** Both in the words of the API. */
export async function membershipOf(
  membership: Pick<Membership, 'standing' | 'problem'>,
): Promise<{ membership: string; standing: MembershipStanding; problem?: string }> {
  const problem = await membership.problem();
  const standing = await membership.standing();
  return { membership: standing.status, standing, ...(problem !== undefined && { problem }) };
}

/** Statuses of which the registry takes other addresses, and of which a node that runs keeps them true. */
const LISTED = ['applied', 'active', 'warned', 'suspended', 'draining'];
/** Statuses of which the registry lets an owner go. */
const MAY_LEAVE = ['applied', 'active', 'warned', 'suspended'];

export function createMembership(deps: MembershipDeps): Membership {
  const { registry, account } = deps;

  /** The entry that counts, if this node speaks for it; else the one that its own account made. */
  async function findOwn(): Promise<RegistryEntry | undefined> {
    const holder = await registry.holder(deps.peerId());
    return holder !== undefined && isMine(holder) ? holder : registry.find(deps.peerId(), account.address());
  }

  function isMine({ owner, operator }: RegistryEntry): boolean {
    return owner === account.address() || operator === account.address();
  }

  /** Registered, but by and for another account: then every anchor of this node is refused. */
  async function findForeign(): Promise<RegistryEntry | undefined> {
    const holder = await registry.holder(deps.peerId());
    return holder === undefined || isMine(holder) ? undefined : holder;
  }

  async function send(data: string, valueWei = 0n): Promise<Hex> {
    return account.send({ to: PREDEPLOYS.nodeRegistry, data: data as Hex, valueWei });
  }

  async function deposit(): Promise<bigint> {
    const data = NODE_REGISTRY.encodeFunctionData('depositRequired') as Hex;
    const answer = await deps.call({ to: PREDEPLOYS.nodeRegistry, data });
    const required = NODE_REGISTRY.decodeFunctionResult('depositRequired', answer).at(0) as bigint;
    return (required * DEPOSIT_MARGIN_PERCENT) / 100n;
  }

  async function apply(): Promise<{ membership: string; transaction: string }> {
    const operator = account.address();
    const seed = await deps.identitySeed();
    const application = {
      peerId: hexlify(encodePeerId(deps.peerId())),
      addresses: [...deps.addresses()],
      kind: KIND_BYON,
      operator,
      evidence: ZeroHash,
      statement: signNodeStatement({ l2ChainId: deps.l2ChainId, owner: operator, operator }, seed),
    };
    const data = NODE_REGISTRY.encodeFunctionData('submitApplication', [application]);
    return { membership: 'applied', transaction: await send(data, await deposit()) };
  }

  async function changeAddresses({ nodeId }: RegistryEntry): Promise<Hex> {
    return send(NODE_REGISTRY.encodeFunctionData('setAddresses', [nodeId, [...deps.addresses()]]));
  }

  /** In whatever order: interfaces have none. */
  function isCurrent({ addresses }: RegistryEntry): boolean {
    return [...addresses].sort().join(' ') === [...deps.addresses()].sort().join(' ');
  }

  return {
    standing: async () => standingOf(await findOwn()),
    async problem() {
      const foreign = await findForeign();
      if (foreign === undefined) return undefined;
      const { owner, operator } = foreign;
      return `the registry has this peer for owner ${owner} and operator ${operator}, and this node signs as ${account.address()}`;
    },
    async join() {
      const foreign = await findForeign();
      const isTaken = foreign !== undefined && ['active', 'warned'].includes(foreign.status);
      if (isTaken) throw new NectarError('NETWORK_PEER_HELD', { owner: foreign.owner, account: account.address() });
      const own = await findOwn();
      const node = (await deps.announced.find(deps.peerId(), own?.owner ?? account.address())) ?? own;
      if (node === undefined || node.status === 'left') return apply();
      if (node.status === 'ejected' || isCurrent(node)) return { membership: node.status };
      return { membership: node.status, transaction: await changeAddresses(node) };
    },
    async leave() {
      const own = await findOwn();
      const [membership, owner] = [own?.status ?? 'none', own?.owner ?? ''];
      if (own === undefined || !MAY_LEAVE.includes(membership) || owner !== account.address())
        throw new NectarError('NETWORK_LEAVE_REFUSED', { membership, owner, account: account.address() });
      return { membership, transaction: await send(NODE_REGISTRY.encodeFunctionData('leaveNetwork', [own.nodeId])) };
    },
    async appeal({ evidence }) {
      const own = await findOwn();
      const standing = standingOf(own);
      const isOpen = standing.appealUntil !== undefined && Date.parse(standing.appealUntil) > deps.now();
      if (own === undefined || !isOpen || own.owner !== account.address())
        throw new NectarError('NETWORK_APPEAL_REFUSED', { membership: standing.status, account: account.address() });
      const transaction = await send(NODE_REGISTRY.encodeFunctionData('appeal', [own.nodeId, evidence]));
      return { membership: own.status, transaction };
    },
    async keepAddresses() {
      const own = await findOwn();
      if (own === undefined || !LISTED.includes(own.status) || isCurrent(own)) return undefined;
      // What was sent, and L1 does not have yet, is not sent again.
      const announced = await deps.announced.find(deps.peerId(), own.owner);
      if (announced !== undefined && (!LISTED.includes(announced.status) || isCurrent(announced))) return undefined;
      return changeAddresses(own);
    },
  };
}
