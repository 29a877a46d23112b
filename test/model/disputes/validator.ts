import { type Challenge, challengeId, otherSide, type Parties, type Side } from './challenge.ts';
import type { L1, Settlement, Signed } from './l1.ts';
import { isOpenersRound, isValid, type Move } from './move.ts';
import { at } from './random.ts';
import { childrenOf, confirmableAt, joinEnd, type Node } from './rollup.ts';
import { TALK_S, TALK_SILENCE_S } from './shape.ts';
import { answer, findLie, firstMove, isLast, isStartTrue, isTrueNode, trueEnd } from './truth.ts';

/** What the validator keeps. Losing `received` costs it gas, not the game. */
export interface Memory {
  stake: number;
  /** Valid messages of others, by challenge. */
  readonly received: Map<string, Signed[]>;
  readonly firstSeen: Map<string, number>;
  readonly lastHeard: Map<string, number>;
  /** It asserts by itself from this time on, to this depth of the tree. */
  readonly assertsAt: number;
  readonly levels: number;
}

export type Action =
  | { readonly kind: 'restake' }
  | { readonly kind: 'create'; readonly g: number }
  | { readonly kind: 'back' | 'confirm'; readonly node: number }
  | { readonly kind: 'prune'; readonly node: number; readonly stake: number }
  | { readonly kind: 'move'; readonly parties: Parties; readonly prev: Signed | undefined; readonly move: Move }
  | { readonly kind: 'settle'; readonly settlement: Settlement }
  | { readonly kind: 'timeout'; readonly parties: Parties };

/** What there is to do now, and the next time (of the freeze clock) at which there may be more. */
export interface Decision {
  readonly actions: Action[];
  wakeAt: number;
}

/** The honest side has no answer: the protocol is broken. */
export class NoAnswer extends Error {}

/** The validator's table, as a function of L1 and of what others signed. */
export function decide(l1: L1, memory: Memory): Decision {
  const decision: Decision = { actions: [], wakeAt: Number.POSITIVE_INFINITY };
  const { rollup } = l1.state;
  for (const node of rollup.nodes) {
    for (const stake of node.backers) {
      if (at(rollup.stakes, stake).state === 'eliminated')
        decision.actions.push({ kind: 'prune', node: node.id, stake });
    }
  }
  decideConfirm(l1, decision);
  if (at(rollup.stakes, memory.stake).state !== 'live') return decision;
  decideAssertion(l1, memory, decision);
  for (const parties of findRivals(l1, memory)) decideChallenge(l1, memory, { parties, side: 'O', decision });
  for (const record of l1.state.challenges.values()) {
    const isMoot = record.closed || at(rollup.stakes, record.parties.staker.O).state !== 'live';
    if (!isMoot && record.parties.staker.R === memory.stake)
      decideChallenge(l1, memory, { parties: record.parties, side: 'R', decision });
  }
  return decision;
}

function decideConfirm(l1: L1, decision: Decision): void {
  const { rollup, clock } = l1.state;
  const p = at(rollup.nodes, rollup.latestConfirmed);
  const truth = childrenOf(rollup, p.id).find((n) => n.status === 'live' && isTrueNode(l1.rules, rollup, n.id));
  if (truth === undefined || p.liveChildren !== 1) return;
  const due = confirmableAt(p);
  if (clock >= due) decision.actions.push({ kind: 'confirm', node: truth.id });
  else decision.wakeAt = Math.min(decision.wakeAt, due);
}

/** Steps forward along the truth, as far as something false hangs below it: a lie has to have a sibling to be a rival of. */
function decideAssertion(l1: L1, memory: Memory, decision: Decision): void {
  const { rollup, clock } = l1.state;
  const p = at(rollup.nodes, at(rollup.stakes, memory.stake).standsOn);
  if (p.status === 'confirmed' && p.id !== rollup.latestConfirmed) {
    decision.actions.push({ kind: 'restake' });
    return;
  }
  const g = trueEnd(l1.rules, p.g);
  const truth = childrenOf(rollup, p.id).find((child) => child.status === 'live' && child.g === g);
  if (hasLieBelow(l1, p) || (clock >= memory.assertsAt && depth(l1, p) < memory.levels)) {
    if (p.windowChildren > 1 && clock > joinEnd(p)) return;
    decision.actions.push(truth === undefined ? { kind: 'create', g } : { kind: 'back', node: truth.id });
  } else if (clock < memory.assertsAt) decision.wakeAt = Math.min(decision.wakeAt, memory.assertsAt);
}

/** When the first of the windows ends that are open on the way along the truth, on the freeze clock. */
export function joinDeadline(l1: L1, memory: Memory): number {
  const { rollup } = l1.state;
  let deadline = Number.POSITIVE_INFINITY;
  let p: Node | undefined = at(rollup.nodes, at(rollup.stakes, memory.stake).standsOn);
  while (p !== undefined) {
    if (p.windowChildren > 1) deadline = Math.min(deadline, joinEnd(p));
    const g = trueEnd(l1.rules, p.g);
    p = childrenOf(rollup, p.id).find((child) => child.status === 'live' && child.g === g);
  }
  return deadline;
}

function hasLieBelow(l1: L1, p: Node): boolean {
  return childrenOf(l1.state.rollup, p.id).some(
    (child) => child.status === 'live' && (child.g !== trueEnd(l1.rules, p.g) || hasLieBelow(l1, child)),
  );
}

function depth(l1: L1, node: Node): number {
  return node.parent < 0 ? 0 : 1 + depth(l1, at(l1.state.rollup.nodes, node.parent));
}

/** Every live stake on a sibling of a node that the validator backs. */
function findRivals(l1: L1, memory: Memory): Parties[] {
  const { rollup } = l1.state;
  const own = rollup.nodes.filter((node) => node.backers.has(memory.stake) && node.status === 'live');
  return own.flatMap((node) =>
    childrenOf(rollup, node.parent)
      .filter((sibling) => sibling.id !== node.id)
      .flatMap((sibling) =>
        [...sibling.backers]
          .filter((stake) => at(rollup.stakes, stake).state === 'live')
          .map((stake) => partiesOf([node, memory.stake], [sibling, stake])),
      ),
  );
}

export function partiesOf(o: readonly [Node, number], r: readonly [Node, number]): Parties {
  const parties = {
    parent: o[0].parent,
    node: { O: o[0].id, R: r[0].id },
    end: { O: o[0].g, R: r[0].g },
    staker: { O: o[1], R: r[1] },
  };
  return { id: challengeId(parties), ...parties };
}

interface Part {
  readonly parties: Parties;
  readonly side: Side;
  readonly decision: Decision;
}

/** The answer to a message: a move, or the settlement of the last round. A function of the message and of chain data. */
export function reply(l1: L1, parties: Parties, on: Signed): Action {
  const subject = l1.subject(parties);
  const choice = isStartTrue(l1.rules, subject, on.move) ? findLie(l1.rules, subject, on.move) : undefined;
  if (choice === undefined) throw new NoAnswer(`round ${on.move.round}`);
  if (!isLast(l1.rules, on.move))
    return { kind: 'move', parties, prev: on, move: answer(l1.rules, subject, on.move, choice) };
  const pre = choice === 0 ? on.move.start : at(on.move.points, choice - 1);
  return { kind: 'settle', settlement: { parties, on, choice, pre, post: l1.rules.machine.step(pre) ?? '' } };
}

function decideChallenge(l1: L1, memory: Memory, { parties, side, decision }: Part): void {
  const { wall, clock } = l1.state;
  const record = l1.state.challenges.get(parties.id);
  if (record?.closed === true) return;
  const best = (memory.received.get(parties.id) ?? []).reduce<Signed | undefined>(
    (high, signed) => (high === undefined || signed.move.round > high.move.round ? signed : high),
    undefined,
  );
  if (best !== undefined && isLast(l1.rules, best.move)) {
    decision.actions.push(reply(l1, parties, best));
  } else if (record !== undefined) {
    decideOpen(l1, record, { parties, side, decision, best });
  } else {
    if (!memory.firstSeen.has(parties.id)) memory.firstSeen.set(parties.id, wall);
    const seen = memory.firstSeen.get(parties.id) ?? wall;
    const until = Math.min(seen + TALK_S, (memory.lastHeard.get(parties.id) ?? seen) + TALK_SILENCE_S);
    if (wall < until) decision.wakeAt = Math.min(decision.wakeAt, clock + until - wall);
    else if (best !== undefined) decision.actions.push(reply(l1, parties, best));
    else
      decision.actions.push({ kind: 'move', parties, prev: undefined, move: firstMove(l1.rules, l1.subject(parties)) });
  }
}

function decideOpen(l1: L1, record: Challenge, part: Part & { best: Signed | undefined }): void {
  const { parties, side, decision, best } = part;
  if (record.turn !== side) {
    const left = l1.left(record);
    if (left <= 0) decision.actions.push({ kind: 'timeout', parties });
    else decision.wakeAt = Math.min(decision.wakeAt, l1.state.clock + left);
    return;
  }
  if (record.withheld) return;
  const isHigher = best !== undefined && best.move.round > record.position.round;
  const on = isHigher ? best : { move: record.position, signer: parties.staker[otherSide(side)] };
  decision.actions.push(reply(l1, parties, on));
}

/** A message from the other: stored when it is valid and begins at the truth; anything else is not answered. */
export function hear(
  l1: L1,
  memory: Memory,
  message: { parties: Parties; prev: Move | undefined; signed: Signed },
): boolean {
  const { parties, prev, signed } = message;
  const subject = l1.subject(parties);
  if (!isValid(l1.rules, subject, prev, signed.move) || !isStartTrue(l1.rules, subject, signed.move)) return false;
  const isOthers = isOpenersRound(signed.move.round) === (parties.staker.O === signed.signer);
  if (!isOthers || findLie(l1.rules, subject, signed.move) === undefined) return false;
  const list = memory.received.get(parties.id) ?? [];
  if (list.length >= 64 || list.some(({ move }) => move.hash === signed.move.hash)) return false;
  memory.received.set(parties.id, [...list, signed]);
  memory.lastHeard.set(parties.id, l1.state.wall);
  return true;
}
