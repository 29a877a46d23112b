import { AbiCoder, Interface, keccak256, toQuantity, ZeroAddress } from 'ethers';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import { SystemConfigAbi } from '../../../contracts/generated/SystemConfig.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { globalStateHash } from '../../../protocol/dispute/global-state.ts';
import { challengeId, type Party } from '../../../protocol/dispute/parties.ts';
import type { Side } from '../../../protocol/dispute/rounds.ts';
import { invalid } from '../l1/field.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import type { Assertion } from '../validator/assertion.ts';
import type { AssertionBook } from '../validator/assertion-book.ts';
import type { Judge } from '../validator/judge.ts';
import type { Rivalry } from './rivalry.ts';

const ROLLUP = new Interface([...RollupAbi]);
const CONFIG = new Interface([...SystemConfigAbi]);
/** RollupConfig of RollupTypes.sol, of which the node ids and the machine's input bind the hash. */
const ROLLUP_CONFIG =
  'tuple(bytes32 machine, bytes32 core0, address verifier, address challengeManager, uint128 stakeWei, uint64 periodS, uint64 intervalS)';

export interface RivalsOptions {
  readonly rollup: Hex;
  readonly chainId: bigint;
  /** The first L1 block that may hold a stake. */
  readonly firstL1Block: bigint;
}

export interface RivalsDeps {
  readonly rpc: JsonRpc;
  readonly book: () => AssertionBook;
  readonly verdictOf: Judge['verdictOf'];
}

/** A stake of this node, and where it stands. */
interface OwnStake {
  readonly id: bigint;
  readonly standsOn: Hex;
}

/** The stakes on what contradicts this node's own assertions. */
export interface Rivals {
  /** Two for each that lives: one for each direction. */
  readonly rivalries: readonly Rivalry[];
  readonly eliminated: readonly EliminatedRival[];
}

/** A stake that lost. */
interface EliminatedRival {
  readonly nodeId: Hex;
  readonly stakeId: bigint;
  /** It is not taken off what it backed. */
  readonly isBacker: boolean;
  /** Both directions of what there was with it. */
  readonly ended: readonly Rivalry[];
}

export type FindRivals = (stake: OwnStake, signal: AbortSignal) => Promise<Rivals>;

interface StakeOnL1 {
  readonly owner: Hex;
  readonly signer: Hex;
  readonly isLive: boolean;
  readonly isEliminated: boolean;
}

/** By which rules the children of a node are disputed. */
interface DisputeRules {
  readonly challengeManager: Hex;
  readonly core0: bigint;
  readonly configHash: Hex;
  readonly rollupConfig: Hex;
}

type Backer = Party & { readonly contact: string };

interface Backers {
  readonly live: readonly Backer[];
  readonly eliminated: readonly (Backer & { readonly isBacker: boolean })[];
}

const SIDES = ['O', 'R'] as const;

const NONE: Rivals = { rivalries: [], eliminated: [] };

/**
 * Stakes are found as the endpoint tells of them; L1 judges every call by itself, so that an invented rival costs nothing, and a
 * hidden one is met when another endpoint is asked.
 */
export function createFindRivals(
  { rollup, chainId, firstL1Block }: RivalsOptions,
  { rpc, book, verdictOf }: RivalsDeps,
): FindRivals {
  async function view<T>(
    to: Hex,
    abi: Interface,
    [name, ...args]: readonly [string, ...unknown[]],
    signal: AbortSignal,
  ): Promise<T> {
    const data = abi.encodeFunctionData(name, args);
    const answer = await rpc.call('eth_call', [{ to, data }, 'latest'], signal);
    try {
      return abi.decodeFunctionResult(name, String(answer))[0] as T;
    } catch {
      throw invalid(`answer of ${name}`);
    }
  }

  async function stakeOf(id: bigint, signal: AbortSignal): Promise<StakeOnL1> {
    return view(rollup, ROLLUP, ['stakeOf', id], signal);
  }

  async function rulesOf(parent: Hex, signal: AbortSignal): Promise<DisputeRules | undefined> {
    const manager = await view<Hex>(rollup, ROLLUP, ['challengeManagerOf', parent], signal);
    if (manager === ZeroAddress) return undefined;
    const systemConfig = await view<Hex>(rollup, ROLLUP, ['systemConfig'], signal);
    const { configId } = await view<{ configId: bigint }>(rollup, ROLLUP, ['nodeOf', parent], signal);
    const own = await view<{ challengeManager: Hex; core0: Hex }>(
      systemConfig,
      CONFIG,
      ['rollupConfig', configId],
      signal,
    );
    const rollupConfig = AbiCoder.defaultAbiCoder().encode([ROLLUP_CONFIG], [own]) as Hex;
    // A config without a manager is disputed by the rules of the newest one, as the Rollup has it.
    const latestId = await view<bigint>(systemConfig, CONFIG, ['latestConfigId'], signal);
    const effective =
      own.challengeManager === ZeroAddress
        ? await view<{ core0: Hex }>(systemConfig, CONFIG, ['rollupConfig', latestId], signal)
        : own;
    const [challengeManager, core0] = [manager.toLowerCase() as Hex, BigInt(effective.core0)];
    return { challengeManager, core0, rollupConfig, configHash: keccak256(rollupConfig) as Hex };
  }

  async function logsOf(event: 'NodeBacked' | 'NodeCreated', nodeId: Hex, signal: AbortSignal) {
    const topics = ROLLUP.encodeFilterTopics(event, [nodeId]);
    const filter = { address: rollup, topics, fromBlock: toQuantity(firstL1Block), toBlock: 'latest' };
    const logs = await rpc.call('eth_getLogs', [filter], signal);
    if (!Array.isArray(logs)) throw invalid('list of logs');
    return logs.map((log: { topics: string[]; data: string }) => ROLLUP.parseLog(log)?.args);
  }

  /** How the maker of an assertion wants to be reached, by its stake. */
  async function contactsOf(nodeId: Hex, signal: AbortSignal): Promise<ReadonlyMap<bigint, string>> {
    const made = await logsOf('NodeCreated', nodeId, signal);
    return new Map(made.map((args) => [args?.getValue('stakeId') as bigint, String(args?.getValue('contact') ?? '')]));
  }

  async function backersOf(nodeId: Hex, signal: AbortSignal): Promise<Backers> {
    const logs = await logsOf('NodeBacked', nodeId, signal);
    const ids = new Set(logs.map((args) => args?.getValue('stakeId') as bigint));
    const contacts = await contactsOf(nodeId, signal);
    const live: Backer[] = [];
    const eliminated: (Backer & { readonly isBacker: boolean })[] = [];
    for (const stakeId of ids) {
      const { owner, signer, isLive, isEliminated } = await stakeOf(stakeId, signal);
      const contact = contacts.get(stakeId) ?? '';
      const accounts = { owner: owner.toLowerCase() as Hex, signer: signer.toLowerCase() as Hex };
      const backer = { node: nodeId, stakeId, ...accounts, contact };
      if (isLive) live.push(backer);
      if (!isEliminated) continue;
      const isBacker = await view<boolean>(rollup, ROLLUP, ['isBacker', nodeId, stakeId], signal);
      eliminated.push({ ...backer, isBacker });
    }
    return { live, eliminated };
  }

  /** The assertions that the stake backs and that wait for their period, if they are right. */
  function ownPath({ standsOn }: OwnStake): Assertion[] {
    const { assertions } = book();
    const path: Assertion[] = [];
    for (let node = assertions.get(standsOn); node?.status === 'live'; node = assertions.get(node.parent))
      path.push(node);
    return path.filter(({ nodeId }) => verdictOf(nodeId)?.kind === 'right');
  }

  async function rivalsAt(node: Assertion, stake: OwnStake, signal: AbortSignal): Promise<Rivals> {
    const parent = book().assertions.get(node.parent);
    // Those that died too: entries against the stakes that they took with them are still to be paid.
    const siblings = [...book().assertions.values()].filter(
      ({ nodeId, parent: other }) => other === node.parent && nodeId !== node.nodeId,
    );
    if (parent === undefined || siblings.length === 0) return NONE;
    const rules = await rulesOf(node.parent, signal);
    if (rules === undefined) return NONE;
    const { owner, signer } = await stakeOf(stake.id, signal);
    const self = {
      node: node.nodeId,
      stakeId: stake.id,
      owner: owner.toLowerCase() as Hex,
      signer: signer.toLowerCase() as Hex,
    };
    const rivalries: Rivalry[] = [];
    const eliminated: EliminatedRival[] = [];
    for (const sibling of siblings) {
      const directions = ({ contact, ...rival }: Backer): Rivalry[] =>
        SIDES.map((side) => {
          const ends = side === 'O' ? node : sibling;
          return rivalryOf({ parent, ends, contact, side }, { self, rival, rules });
        });
      const backers = await backersOf(sibling.nodeId, signal);
      rivalries.push(...backers.live.flatMap(directions));
      for (const { isBacker, ...backer } of backers.eliminated)
        eliminated.push({ nodeId: backer.node, stakeId: backer.stakeId, isBacker, ended: directions(backer) });
    }
    return { rivalries, eliminated };
  }

  function rivalryOf(
    { parent, ends, contact, side }: { parent: Assertion; ends: Assertion; contact: string; side: Side },
    { self, rival, rules }: { self: Party; rival: Party; rules: DisputeRules },
  ): Rivalry {
    const domain = { chainId, challengeManager: rules.challengeManager };
    const parties = { parent: parent.nodeId, O: side === 'O' ? self : rival, R: side === 'O' ? rival : self };
    const [start, end] = [globalStateHash(parent.state), globalStateHash(ends.state)];
    const subject = { id: challengeId(domain, parties), domain, start, end, core0: rules.core0 };
    return {
      parties,
      side,
      subject,
      parent: parent.state,
      target: parent.target,
      configHash: rules.configHash,
      rollupConfig: rules.rollupConfig,
      contact,
    };
  }

  return async (stake, signal) => {
    const all: Rivals[] = [];
    for (const node of ownPath(stake)) all.push(await rivalsAt(node, stake, signal));
    return { rivalries: all.flatMap((at) => at.rivalries), eliminated: all.flatMap((at) => at.eliminated) };
  };
}
