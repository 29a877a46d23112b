import { hexlify, Interface } from 'ethers';
import { NodeRegistryAbi } from '../../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { encodePeerId, isPeerId, parsePeerId, registryNodeId } from '../../../protocol/network/node-identity.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';

export type NodeStatus = 'applied' | 'active' | 'warned' | 'suspended' | 'ejected' | 'left';

export interface RegisteredNode {
  readonly nodeId: Hex;
  readonly peerId: PeerIdText;
  readonly addresses: string[];
  readonly status: NodeStatus;
  readonly owner: Hex;
  readonly operator: Hex;
  /** Seconds since 1970; 0 when never attested. */
  readonly validUntil: bigint;
}

/** What the registry consumes of the node: reads of its own state. */
export interface StateReader {
  /** Of the head that is read: answers are remembered as long as it stays. */
  headHash(): Hex;
  /** eth_call at that head; resolves with the returned bytes. */
  call(to: Hex, data: Hex): Promise<Hex>;
}

/** NodeRegistry as the node's own derived state has it: nobody has to be asked, or believed. */
export interface NodeRegistry {
  isAuthorized(peerId: PeerIdText): Promise<boolean>;
  /** Nodes that the network admits now. */
  members(): Promise<RegisteredNode[]>;
  /** Every node that ever applied, whatever its status. */
  nodes(): Promise<RegisteredNode[]>;
}

export const NODE_REGISTRY = new Interface([...NodeRegistryAbi]);

const STATUSES = ['none', 'applied', 'active', 'warned', 'suspended', 'ejected', 'left'] as const;
const PAGE = 50n;

export function createNodeRegistry(state: StateReader): NodeRegistry {
  const remembered = new Map<string, Promise<unknown>>();
  let rememberedAt: Hex | undefined;

  /** One question per block, however often it is asked: admission asks on every connection. */
  function once<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const head = state.headHash();
    if (head !== rememberedAt) remembered.clear();
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

  async function readAll(): Promise<RegisteredNode[]> {
    const count = (await read('nodeCount', [])) as bigint;
    const nodes: RegisteredNode[] = [];
    for (let offset = 0n; offset < count; offset += PAGE) {
      const page = (await read('nodesPaged', [offset, PAGE])) as readonly NodeStruct[];
      nodes.push(...page.map(parseNode).filter((node) => node !== undefined));
    }
    return nodes;
  }

  return {
    async isAuthorized(peerId) {
      if (!isPeerId(peerId)) return false;
      const bytes = hexlify(encodePeerId(peerId));
      return once(`isAuthorized/${peerId}`, async () => (await read('isAuthorized', [bytes])) === true);
    },
    async members() {
      return (await this.nodes()).filter(({ status }) => status === 'active' || status === 'warned');
    },
    nodes: () => once('nodes', readAll),
  };
}

interface NodeStruct {
  readonly peerId: string;
  readonly addresses: Iterable<string>;
  readonly owner: string;
  readonly operator: string;
  readonly status: bigint;
  readonly validUntil: bigint;
}

/** Anyone may apply with any bytes: what is no peer id of this network is no node. */
function parseNode(node: NodeStruct): RegisteredNode | undefined {
  const bytes = Buffer.from(node.peerId.slice(2), 'hex');
  const status = STATUSES[Number(node.status)];
  if (status === undefined || status === 'none') return undefined;
  let peerId: PeerIdText;
  try {
    peerId = parsePeerId(bytes);
  } catch {
    return undefined;
  }
  return {
    nodeId: registryNodeId(peerId),
    peerId,
    addresses: [...node.addresses],
    status,
    owner: node.owner.toLowerCase() as Hex,
    operator: node.operator.toLowerCase() as Hex,
    validUntil: node.validUntil,
  };
}
