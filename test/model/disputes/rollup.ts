import type { Mutant } from './mutants.ts';
import { at } from './random.ts';
import { GRACE_S, JOIN_S, MAX_REFUND_PERCENT, PERIOD_S, REWARD_PERCENT, STAKE } from './shape.ts';

/** An assertion. Times are the freeze clock's. */
export interface Node {
  readonly id: number;
  readonly parent: number;
  readonly g: number;
  status: 'live' | 'dead' | 'confirmed';
  firstChildAt: number;
  lastChildAt: number;
  lastDeathAt: number;
  confirmedAt: number;
  liveChildren: number;
  windowChildren: number;
  /** Stakes that back it and are not pruned. */
  readonly backers: Set<number>;
}

export interface Stake {
  readonly owner: 'honest' | 'liar';
  standsOn: number;
  state: 'live' | 'eliminated' | 'returned';
  /** Gas of accepted entries against this stake, by the stake that sent them: paid when this one loses. */
  readonly credits: Map<number, number>;
}

export interface Funds {
  in: number;
  readonly owed: { honest: number; liar: number };
  burned: number;
}

export interface Rollup {
  readonly nodes: Node[];
  readonly stakes: Stake[];
  readonly funds: Funds;
  latestConfirmed: number;
}

function createNode(id: number, parent: number, g: number): Node {
  const times = { firstChildAt: 0, lastChildAt: 0, lastDeathAt: Number.NEGATIVE_INFINITY, confirmedAt: 0 };
  return { id, parent, g, status: 'live', ...times, liveChildren: 0, windowChildren: 0, backers: new Set() };
}

export function createRollup(genesis: number): Rollup {
  const root = createNode(0, -1, genesis);
  root.status = 'confirmed';
  return { nodes: [root], stakes: [], funds: { in: 0, owed: { honest: 0, liar: 0 }, burned: 0 }, latestConfirmed: 0 };
}

export function copyRollup({ nodes, stakes, funds, latestConfirmed }: Rollup): Rollup {
  return {
    nodes: nodes.map((node) => ({ ...node, backers: new Set(node.backers) })),
    stakes: stakes.map((stake) => ({ ...stake, credits: new Map(stake.credits) })),
    funds: { ...funds, owed: { ...funds.owed } },
    latestConfirmed,
  };
}

export const childrenOf = (rollup: Rollup, id: number): Node[] => rollup.nodes.filter((node) => node.parent === id);
const isOpen = (rollup: Rollup, p: Node): boolean => p.status === 'live' || p.id === rollup.latestConfirmed;

export function addStake(rollup: Rollup, owner: 'honest' | 'liar'): number {
  rollup.funds.in += STAKE;
  rollup.stakes.push({ owner, standsOn: rollup.latestConfirmed, state: 'live', credits: new Map() });
  return rollup.stakes.length - 1;
}

function step(stake: Stake, stakeId: number, node: Node): true {
  stake.standsOn = node.id;
  node.backers.add(stakeId);
  return true;
}

export const joinEnd = (p: Node): number => Math.max(p.firstChildAt + PERIOD_S, p.lastChildAt + JOIN_S);

/** What a call of the Rollup says: true when it went through, false when it reverts. */
export interface RollupCall {
  readonly rollup: Rollup;
  readonly now: number;
  readonly mutant: Mutant | undefined;
}

/** The caller's stake steps to a child with this end, which is made or made again. */
export function create({ rollup, now, mutant }: RollupCall, stakeId: number, g: number): boolean {
  const stake = at(rollup.stakes, stakeId);
  const p = at(rollup.nodes, stake.standsOn);
  const old = childrenOf(rollup, p.id).find((child) => child.g === g);
  if (stake.state !== 'live' || !isOpen(rollup, p) || (old !== undefined && old.status !== 'dead')) return false;
  // What died may come back until D, without moving D: otherwise its backer's defeat in the joining window sinks the truth.
  const isRevival = old !== undefined && p.windowChildren > 0 && mutant !== 'the dead stay dead';
  const end = isRevival || mutant === 'children for ever' ? joinEnd(p) : p.firstChildAt + PERIOD_S;
  if (p.windowChildren > 0 && now > end) return false;
  const node = old ?? createNode(rollup.nodes.length, p.id, g);
  if (old === undefined) rollup.nodes.push(node);
  else if (node.liveChildren > 0) node.firstChildAt = node.lastChildAt = now;
  node.status = 'live';
  if (p.windowChildren === 0) p.firstChildAt = now;
  if (!isRevival || mutant === 'children for ever') p.lastChildAt = now;
  p.windowChildren++;
  p.liveChildren++;
  return step(stake, stakeId, node);
}

export function back({ rollup, now, mutant }: RollupCall, stakeId: number, nodeId: number): boolean {
  const stake = at(rollup.stakes, stakeId);
  const node = at(rollup.nodes, nodeId);
  const p = rollup.nodes[node.parent];
  if (stake.state !== 'live' || node.status !== 'live' || p === undefined) return false;
  if (stake.standsOn !== p.id || !isOpen(rollup, p)) return false;
  const end = mutant === 'no joining window' ? p.firstChildAt + PERIOD_S : joinEnd(p);
  if (p.windowChildren > 1 && now > end) return false;
  return step(stake, stakeId, node);
}

function die(rollup: Rollup, node: Node, now: number): void {
  node.status = 'dead';
  const p = at(rollup.nodes, node.parent);
  p.liveChildren--;
  p.lastDeathAt = now;
  if (p.liveChildren === 0) p.windowChildren = 0;
}

export function prune({ rollup, now }: RollupCall, nodeId: number, stakeId: number): boolean {
  const node = at(rollup.nodes, nodeId);
  if (!node.backers.has(stakeId) || at(rollup.stakes, stakeId).state !== 'eliminated') return false;
  node.backers.delete(stakeId);
  if (node.backers.size === 0 && node.status === 'live') die(rollup, node, now);
  return true;
}

/** When the only living child of `p` may be confirmed. */
export function confirmableAt(p: Node): number {
  const period = p.firstChildAt + PERIOD_S;
  return p.windowChildren > 1 ? Math.max(period, joinEnd(p), p.lastDeathAt + GRACE_S) : period;
}

export function confirm({ rollup, now, mutant }: RollupCall, nodeId: number): boolean {
  const node = at(rollup.nodes, nodeId);
  if (node.status !== 'live' || node.parent !== rollup.latestConfirmed) return false;
  const p = at(rollup.nodes, node.parent);
  if (p.liveChildren !== 1 && mutant !== 'rivals may live') return false;
  const due = mutant === 'no period' ? p.firstChildAt : confirmableAt(p);
  if (now < due) return false;
  node.status = 'confirmed';
  node.confirmedAt = now;
  rollup.latestConfirmed = nodeId;
  return true;
}

export function returnStake({ rollup }: RollupCall, stakeId: number): boolean {
  const stake = at(rollup.stakes, stakeId);
  if (stake.state !== 'live' || at(rollup.nodes, stake.standsOn).status !== 'confirmed') return false;
  stake.state = 'returned';
  rollup.funds.owed[stake.owner] += STAKE;
  return true;
}

/** The loser's stake pays: all opponents' entries (in proportion where 80 % is too little), 10 % to the winner; the rest is burned. */
export function eliminate({ rollup, now, mutant }: RollupCall, winnerId: number, loserId: number): void {
  const loser = at(rollup.stakes, loserId);
  loser.state = 'eliminated';
  const total = [...loser.credits.values()].reduce((sum, credit) => sum + credit, 0);
  const most = (STAKE * MAX_REFUND_PERCENT) / 100;
  const share = mutant === 'no limit of refunds' || total <= most ? 1 : most / total;
  let rest = STAKE;
  const pay = (stakeId: number, amount: number): void => {
    rollup.funds.owed[at(rollup.stakes, stakeId).owner] += amount;
    rest -= amount;
  };
  for (const [stakeId, credit] of loser.credits) pay(stakeId, Math.floor(credit * share));
  pay(winnerId, (STAKE * REWARD_PERCENT) / 100);
  rollup.funds.burned += rest;
  if (mutant !== 'content loses') return;
  for (const node of rollup.nodes) if (node.backers.has(loserId) && node.status === 'live') die(rollup, node, now);
}
