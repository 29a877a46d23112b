import { hexlify, Interface, ZeroHash } from 'ethers';
import { NodeRegistryAbi } from '../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../protocol/brand.ts';
import { encodePeerId } from '../../protocol/network/node-identity.ts';
import { PREDEPLOYS } from '../../protocol/rollup/genesis.ts';

const NODE_REGISTRY = new Interface([...NodeRegistryAbi]);
/** INodeRegistry.KIND_BYON. */
const KIND_BYON = 1;

interface RegistryEntry {
  readonly peerId: PeerIdText;
  readonly nodeId: Hex;
  readonly status: string;
  readonly addresses: readonly string[];
}

/** What membership needs of the node's own chain and host. */
export interface MembershipDeps {
  readonly peerId: () => PeerIdText;
  /** Multiaddrs with which this node registers. */
  readonly addresses: () => readonly string[];
  readonly nodes: () => Promise<readonly RegistryEntry[]>;
  /** The same with what L1 has not confirmed yet: nothing is sent twice. */
  readonly announced: () => Promise<readonly RegistryEntry[]>;
  readonly account: { address(): Hex; send(tx: { to: Hex; data: Hex }): Promise<Hex> };
}

/** The node in the NodeRegistry: its status as its own state has it, and its application. */
export interface Membership {
  /** `none`, `applied`, `active`, `warned`, `suspended`, `ejected` or `left`. */
  status(): Promise<string>;
  /**
   * Applies; a node that is registered already keeps its addresses current instead. Resolves once the sequencer has taken the
   * transaction, without one when there is nothing to say.
   */
  join(): Promise<{ membership: string; transaction?: string }>;
}

export function createMembership(deps: MembershipDeps): Membership {
  const isOwn = (node: RegistryEntry): boolean => node.peerId === deps.peerId();

  async function send(data: string): Promise<Hex> {
    return deps.account.send({ to: PREDEPLOYS.nodeRegistry, data: data as Hex });
  }

  async function apply(): Promise<{ membership: string; transaction: string }> {
    const application = {
      peerId: hexlify(encodePeerId(deps.peerId())),
      addresses: [...deps.addresses()],
      kind: KIND_BYON,
      operator: deps.account.address(),
      evidence: ZeroHash,
    };
    const transaction = await send(NODE_REGISTRY.encodeFunctionData('submitApplication', [application]));
    return { membership: 'applied', transaction };
  }

  return {
    status: async () => (await deps.nodes()).find(isOwn)?.status ?? 'none',
    async join() {
      const node = (await deps.announced()).find(isOwn);
      if (node === undefined || node.status === 'left') return apply();
      const addresses = [...deps.addresses()];
      if (node.status === 'ejected' || addresses.join(' ') === node.addresses.join(' '))
        return { membership: node.status };
      const transaction = await send(NODE_REGISTRY.encodeFunctionData('setAddresses', [node.nodeId, addresses]));
      return { membership: node.status, transaction };
    },
  };
}
