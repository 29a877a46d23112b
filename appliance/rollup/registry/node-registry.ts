import { hexlify, Interface } from 'ethers';
import { NodeRegistryAbi } from '../../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { DRAIN_PERIOD_S, GRACE_PERIOD_S } from '../../../protocol/network/due-process.ts';
import { encodePeerId, isPeerId, parsePeerId, registryEntryId } from '../../../protocol/network/node-identity.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { createStatementCheck, type StatementCheck } from './statement-check.ts';

export type NodeStatus = 'applied' | 'active' | 'warned' | 'suspended' | 'ejected' | 'left' | 'draining';

export interface RegisteredNode {
  /** The entry: of a peer and its owner. */
  readonly nodeId: Hex;
  readonly peerId: PeerIdText;
  readonly addresses: string[];
  readonly status: NodeStatus;
  readonly owner: Hex;
  readonly operator: Hex;
  /** Seconds since 1970; 0 when never attested, or voted out. */
  readonly validUntil: bigint;
  /** When it applied last, in seconds since 1970. */
  readonly appliedAt: bigint;
  /** When an audit was decided on last, in seconds since 1970; 0 before the first. */
  readonly attestedAt: bigint;
  /** When auditors voted it out, in seconds since 1970; 0 while they did not. */
  readonly ejectedAt: bigint;
  /** When its owner appealed against that; 0 before. */
  readonly appealedAt: bigint;
}

interface Page {
  readonly answer: Hex;
  /** By the bytes of each. */
  readonly entries: ReadonlyMap<string, RegisteredNode | undefined>;
  readonly nodes: readonly RegisteredNode[];
}

interface MemberList {
  readonly nodes: readonly RegisteredNode[];
  readonly byPeer: ReadonlyMap<string, RegisteredNode>;
  /** False where there are more than are read. */
  readonly isWhole: boolean;
}

/** What the registry consumes of the node: reads of its own state at one head. */
export interface StateReader {
  head(): RegistryHead;
  /** eth_call at the head; resolves with the returned bytes. */
  call(to: Hex, data: Hex): Promise<Hex>;
  /** The root of a contract's storage at that head: what the contract holds is the same wherever this is. */
  storageRoot(address: Hex, head: RegistryHead): Promise<Hex>;
}

export interface RegistryHead {
  readonly hash: Hex;
  readonly timestamp: bigint;
}

/** NodeRegistry as the node's own derived state has it: nobody has to be asked, or believed. */
export interface NodeRegistry {
  isAuthorized(peerId: PeerIdText): Promise<boolean>;
  /** Nodes that the network admits now. */
  members(): Promise<RegisteredNode[]>;
  /** The same, with those whose attestation lapsed and of which nobody has said so yet. */
  listed(): Promise<RegisteredNode[]>;
  /** An entry by its id, as an event of the registry names it. */
  entry(nodeId: Hex): Promise<RegisteredNode | undefined>;
  /** Applications that wait for an auditor, those without a statement of their peer's key left out. */
  pending(): Promise<RegisteredNode[]>;
  /** The entry that `owner` has for a peer, if any. */
  find(peerId: PeerIdText, owner: Hex): Promise<RegisteredNode | undefined>;
  /** The entry that an auditor passed last for a peer, whoever owns it. */
  holder(peerId: PeerIdText): Promise<RegisteredNode | undefined>;
}

export const NODE_REGISTRY = new Interface([...NodeRegistryAbi]);

const STATUSES = ['none', 'applied', 'active', 'warned', 'suspended', 'ejected', 'left', 'draining'] as const;
const PAGE = 50n;
/** Applications that are looked at in one round; each has paid for its place. */
const MAX_PENDING = 500n;
/** More members than any network of ours; a bound on what one block can make a node read. */
const MAX_MEMBERS = 20_000n;
/** Strangers make up peer ids as fast as they like, and each is a question. */
const MAX_REMEMBERED = 4_096;

export interface NodeRegistryOptions {
  readonly l2ChainId: bigint;
  /** Answers. */
  readonly maxRemembered?: number;
}

export function createNodeRegistry(options: NodeRegistryOptions, state: StateReader): NodeRegistry {
  const { maxRemembered = MAX_REMEMBERED } = options;
  /** What was read under one root of the contract's storage: it holds at every head that has this root, but for what time changes. */
  let remembered = new Map<string, Promise<unknown>>();
  let rememberedRoot: Hex | undefined;
  let rememberedTime = 0n;
  /** A page of each list and offset: MAX_MEMBERS and MAX_PENDING bound them. */
  const pages = new Map<string, Page>();
  const isSigned = createStatementCheck(options.l2ChainId);
  const parse = (node: NodeStruct): RegisteredNode | undefined => parseNode(node, isSigned);
  let last: { readonly hash: Hex; readonly root: Promise<Hex> } | undefined;

  function rootAt(head: RegistryHead): Promise<Hex> {
    if (last?.hash === head.hash) return last.root;
    const reading = { hash: head.hash, root: state.storageRoot(PREDEPLOYS.nodeRegistry, head) };
    last = reading;
    reading.root.catch(() => {
      if (last === reading) last = undefined;
    });
    return reading.root;
  }

  /** `call` asks at the head of its moment: what a newer state answered is not kept under the older one's root. */
  async function isStill(root: Hex): Promise<boolean> {
    return rootAt(state.head()).then(
      (now) => now === root,
      () => false,
    );
  }

  /** One question as long as the registry is the same, however often it is asked: admission asks on every connection. */
  async function once<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const head = state.head();
    const root = await rootAt(head);
    // A head that goes back in time may take back a lapse.
    const isOther = root !== rememberedRoot || head.timestamp < rememberedTime;
    if (isOther || remembered.size >= maxRemembered) remembered = new Map();
    rememberedRoot = root;
    rememberedTime = head.timestamp;
    const answers = remembered;
    const known = answers.get(question) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask();
    answers.set(question, asked);
    const forget = (): boolean => answers.delete(question);
    asked.then(async () => (await isStill(root)) || forget(), forget);
    return asked;
  }

  const ask = (method: string, args: readonly unknown[]): Promise<Hex> =>
    state.call(PREDEPLOYS.nodeRegistry, NODE_REGISTRY.encodeFunctionData(method, args) as Hex);

  async function read(method: string, args: readonly unknown[]): Promise<unknown> {
    return NODE_REGISTRY.decodeFunctionResult(method, await ask(method, args)).at(0);
  }

  /** What an entry was parsed to before is so again while its bytes are the same: ethers takes milliseconds for each. */
  async function readPage(method: 'membersPaged' | 'pendingPaged', offset: bigint): Promise<readonly RegisteredNode[]> {
    const name = `${method}/${offset}`;
    const answer = await ask(method, [offset, PAGE]);
    const before = pages.get(name);
    if (before?.answer === answer) return before.nodes;
    const entries = new Map(
      splitNodes(answer).map((bytes) => [bytes, before?.entries.get(bytes) ?? parse(decodeNode(bytes))]),
    );
    const nodes = [...entries.values()].filter((node) => node !== undefined);
    pages.set(name, { answer, entries, nodes });
    return nodes;
  }

  async function readList(name: 'member' | 'pending', max: bigint): Promise<RegisteredNode[]> {
    const count = (await read(`${name}Count`, [])) as bigint;
    const method = name === 'member' ? 'membersPaged' : 'pendingPaged';
    const nodes: RegisteredNode[] = [];
    for (let offset = 0n; offset < count && offset < max; offset += PAGE) {
      nodes.push(...(await readPage(method, offset)));
    }
    return nodes;
  }

  async function readMembers(): Promise<MemberList> {
    const nodes = await readList('member', MAX_MEMBERS);
    const isWhole = BigInt(nodes.length) < MAX_MEMBERS;
    return { nodes, isWhole, byPeer: new Map(nodes.map((node) => [node.peerId, node])) };
  }

  /** What `once` has under the root of now, if it has it. */
  async function known<T>(question: string): Promise<T | undefined> {
    const head = state.head();
    const isSame = (await rootAt(head)) === rememberedRoot && head.timestamp >= rememberedTime;
    return isSame ? await (remembered.get(question) as Promise<T> | undefined) : undefined;
  }

  async function readOne(method: 'nodeById' | 'nodeOf', key: string): Promise<RegisteredNode | undefined> {
    return parse((await read(method, [key])) as NodeStruct);
  }

  /** An attestation lapses, and a draining node is out, without a word of the contract. */
  function atHead(node: RegisteredNode): RegisteredNode {
    const { timestamp } = state.head();
    const isLapsed = isMember(node) && timestamp > node.validUntil + GRACE_PERIOD_S;
    if (isLapsed) return { ...node, status: 'suspended' };
    const isOut = node.status === 'draining' && timestamp > node.ejectedAt + DRAIN_PERIOD_S;
    return isOut ? { ...node, status: 'ejected' } : node;
  }

  async function entry(nodeId: Hex): Promise<RegisteredNode | undefined> {
    const node = await once(nodeId, () => readOne('nodeById', nodeId));
    return node && atHead(node);
  }

  return {
    entry,
    listed: async () => (await once('members', readMembers)).nodes.map(atHead),
    async isAuthorized(peerId) {
      // A member's entry is the one that holds its peer id: where the list is at hand, it says the same without a call.
      const list = await known<MemberList>('members');
      const node = list?.isWhole === true ? list.byPeer.get(peerId) : await this.holder(peerId);
      return node !== undefined && isMember(atHead(node));
    },
    members: async () => (await once('members', readMembers)).nodes.map(atHead).filter(isMember),
    pending: async () => [...(await once('pending', () => readList('pending', MAX_PENDING)))],
    find: (peerId, owner) => entry(registryEntryId(peerId, owner)),
    async holder(peerId) {
      if (!isPeerId(peerId)) return undefined;
      const bytes = hexlify(encodePeerId(peerId));
      const node = await once(`holder/${peerId}`, () => readOne('nodeOf', bytes));
      return node && atHead(node);
    },
  };
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
  readonly appliedAt: bigint;
  readonly attestedAt: bigint;
  readonly ejectedAt: bigint;
  readonly appealedAt: bigint;
  readonly statement: string;
}

/** Hex digits of a word of the ABI. */
const WORD = 64;
/** Where the one value of an answer begins: right behind this word. */
const VALUE_FOLLOWS = (32).toString(16).padStart(WORD, '0');

/** The entries of `Node[]` as solc encodes them, none decoded: length, an offset for each, then one after the other. In hex, without 0x. */
function splitNodes(answer: Hex): string[] {
  const hex = answer.slice(2);
  const word = (at: number): number => Number(`0x${hex.slice(at * WORD, (at + 1) * WORD)}`);
  const starts = Array.from({ length: word(1) }, (_, index) => 2 * WORD + 2 * word(2 + index));
  return starts.map((start, index) => hex.slice(start, starts[index + 1]));
}

function decodeNode(hex: string): NodeStruct {
  return NODE_REGISTRY.decodeFunctionResult('nodeOf', `0x${VALUE_FOLLOWS}${hex}`).at(0) as NodeStruct;
}

/** Anyone may apply with any bytes: what is no peer id of this network, or what its key has not signed, is no node. */
function parseNode(node: NodeStruct, isSigned: StatementCheck): RegisteredNode | undefined {
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
  if (!isSigned(peerId, { owner, operator }, node.statement as Hex)) return undefined;
  return {
    nodeId: registryEntryId(peerId, owner),
    peerId,
    addresses: [...node.addresses],
    status,
    owner,
    operator,
    validUntil: node.validUntil,
    appliedAt: node.appliedAt,
    attestedAt: node.attestedAt,
    ejectedAt: node.ejectedAt,
    appealedAt: node.appealedAt,
  };
}
