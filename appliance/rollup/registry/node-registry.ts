import { hexlify, Interface } from 'ethers';
import { NodeRegistryAbi } from '../../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { encodePeerId, isPeerId, parsePeerId, registryEntryId } from '../../../protocol/network/node-identity.ts';
import { isStatementOf } from '../../../protocol/network/node-statement.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';

export type NodeStatus = 'applied' | 'active' | 'warned' | 'suspended' | 'ejected' | 'left';

export interface RegisteredNode {
  /** The entry: of a peer and its owner. */
  readonly nodeId: Hex;
  readonly peerId: PeerIdText;
  readonly addresses: string[];
  readonly status: NodeStatus;
  readonly owner: Hex;
  readonly operator: Hex;
  /** Seconds since 1970; 0 when never attested. */
  readonly validUntil: bigint;
}

/** What the registry consumes of the node: reads of its own state at one head. */
export interface StateReader {
  /** Answers are remembered as long as it stays. */
  head(): { readonly number: bigint; readonly hash: Hex; readonly timestamp: bigint };
  /** eth_call at the head; resolves with the returned bytes. */
  call(to: Hex, data: Hex): Promise<Hex>;
  /** Whether a contract wrote a log in the blocks `from` to `to` of the own chain; true when that is not known. */
  hasLogs(address: Hex, from: bigint, to: bigint): Promise<boolean>;
  /** Hash of a block of the own chain. */
  hashOf(number: bigint): Promise<Hex | undefined>;
}

/** NodeRegistry as the node's own derived state has it: nobody has to be asked, or believed. */
export interface NodeRegistry {
  isAuthorized(peerId: PeerIdText): Promise<boolean>;
  /** Nodes that the network admits now. */
  members(): Promise<RegisteredNode[]>;
  /** Applications that wait for an auditor, those without a statement of their peer's key left out. */
  pending(): Promise<RegisteredNode[]>;
  /** The entry that `owner` has for a peer, if any. */
  find(peerId: PeerIdText, owner: Hex): Promise<RegisteredNode | undefined>;
  /** The entry that an auditor passed last for a peer, whoever owns it. */
  holder(peerId: PeerIdText): Promise<RegisteredNode | undefined>;
}

export const NODE_REGISTRY = new Interface([...NodeRegistryAbi]);

const STATUSES = ['none', 'applied', 'active', 'warned', 'suspended', 'ejected', 'left'] as const;
const PAGE = 50n;
/** Applications that are looked at in one round; each has paid for its place. */
const MAX_PENDING = 500n;
/** More members than any network of ours; a bound on what one block can make a node read. */
const MAX_MEMBERS = 20_000n;
/** NodeRegistry.GRACE_PERIOD. */
const GRACE_PERIOD_S = 7n * 86_400n;

export function createNodeRegistry(options: { readonly l2ChainId: bigint }, state: StateReader): NodeRegistry {
  const remembered = new Map<string, Promise<unknown>>();
  let rememberedAt: ReturnType<StateReader['head']> | undefined;
  let members: Members | undefined;

  /** One question per block, however often it is asked: admission asks on every connection. */
  function once<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const head = state.head();
    if (head.hash !== rememberedAt?.hash) remembered.clear();
    rememberedAt = head;
    const known = remembered.get(question) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const answer = ask();
    remembered.set(question, answer);
    answer.catch(() => remembered.delete(question));
    return answer;
  }

  async function read(method: string, args: readonly unknown[]): Promise<unknown> {
    const data = NODE_REGISTRY.encodeFunctionData(method, args) as Hex;
    return NODE_REGISTRY.decodeFunctionResult(method, await state.call(PREDEPLOYS.nodeRegistry, data)).at(0);
  }

  async function readList(name: 'member' | 'pending', max: bigint): Promise<RegisteredNode[]> {
    const count = (await read(`${name}Count`, [])) as bigint;
    const method = name === 'member' ? 'membersPaged' : 'pendingPaged';
    const nodes: RegisteredNode[] = [];
    for (let offset = 0n; offset < count && offset < max; offset += PAGE) {
      const page = (await read(method, [offset, PAGE])) as readonly NodeStruct[];
      nodes.push(...page.flatMap((node) => parseNode(node, options.l2ChainId) ?? []));
    }
    return nodes;
  }

  /** The list is read anew only where the contract wrote a log since; an attestation that lapses writes none. */
  async function readMembers(): Promise<readonly RegisteredNode[]> {
    const head = state.head();
    const isCurrent = members !== undefined && (await isUnchanged(members.at, head));
    const nodes = isCurrent && members !== undefined ? members.nodes : await readList('member', MAX_MEMBERS);
    members = { at: head, nodes };
    return nodes.filter((node) => isMember(node) && head.timestamp <= node.validUntil + GRACE_PERIOD_S);
  }

  async function isUnchanged(at: Members['at'], head: Members['at']): Promise<boolean> {
    if (at.hash === head.hash) return true;
    if (at.number >= head.number || (await state.hashOf(at.number)) !== at.hash) return false;
    return !(await state.hasLogs(PREDEPLOYS.nodeRegistry, at.number + 1n, head.number));
  }

  async function readOne(method: 'nodeById' | 'nodeOf', key: string): Promise<RegisteredNode | undefined> {
    return parseNode((await read(method, [key])) as NodeStruct, options.l2ChainId);
  }

  return {
    async isAuthorized(peerId) {
      const node = await this.holder(peerId);
      return node !== undefined && isMember(node);
    },
    members: async () => [...(await once('members', readMembers))],
    pending: () => once('pending', () => readList('pending', MAX_PENDING)),
    async find(peerId, owner) {
      const nodeId = registryEntryId(peerId, owner);
      return once(nodeId, () => readOne('nodeById', nodeId));
    },
    async holder(peerId) {
      if (!isPeerId(peerId)) return undefined;
      const bytes = hexlify(encodePeerId(peerId));
      return once(`holder/${peerId}`, () => readOne('nodeOf', bytes));
    },
  };
}

interface Members {
  readonly at: ReturnType<StateReader['head']>;
  readonly nodes: readonly RegisteredNode[];
}

function isMember({ status }: RegisteredNode): boolean {
  return status === 'active' || status === 'warned';
}

interface NodeStruct {
  readonly peerId: string;
  readonly addresses: Iterable<string>;
  readonly owner: string;
  readonly operator: string;
  readonly status: bigint;
  readonly validUntil: bigint;
  readonly statement: string;
}

/** Anyone may apply with any bytes: what is no peer id of this network, or what its key has not signed, is no node. */
function parseNode(node: NodeStruct, l2ChainId: bigint): RegisteredNode | undefined {
  const bytes = Buffer.from(node.peerId.slice(2), 'hex');
  const status = STATUSES[Number(node.status)];
  if (status === undefined || status === 'none') return undefined;
  let peerId: PeerIdText;
  try {
    peerId = parsePeerId(bytes);
  } catch {
    return undefined;
  }
  const owner = node.owner.toLowerCase() as Hex;
  const operator = node.operator.toLowerCase() as Hex;
  if (!isStatementOf(peerId, { l2ChainId, owner, operator }, node.statement as Hex)) return undefined;
  return {
    nodeId: registryEntryId(peerId, owner),
    peerId,
    addresses: [...node.addresses],
    status,
    owner,
    operator,
    validUntil: node.validUntil,
  };
}
