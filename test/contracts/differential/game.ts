import assert from 'node:assert/strict';
import { encodeBytes32String, toBeHex, Wallet, ZeroHash } from 'ethers';
import { otherSide, type Parties, type Side } from '../../model/disputes/challenge.ts';
import { L1, type Signed } from '../../model/disputes/l1.ts';
import { falseProof, firstLie, type Liar, nextLie } from '../../model/disputes/lies.ts';
import { findG, findState } from '../../model/disputes/machine.ts';
import { isOpenersRound, type Move, sealMove, startOf } from '../../model/disputes/move.ts';
import { at, createRandom, type Random } from '../../model/disputes/random.ts';
import { answer, findLie, firstMove, isLast, isStartTrue, trueEnd } from '../../model/disputes/truth.ts';
import { partiesOf } from '../../model/disputes/validator.ts';
import { type ContractSide, openingOf, placeOf } from './contract-side.ts';
import { createContractMachine, FIRST_G } from './machine.ts';

/** One game of calls that both are asked to take: the model, and the contract on a development L1. */
export interface Game {
  readonly side: ContractSide;
  readonly seed: number;
  readonly calls: number;
  /** How many calls of each kind both took. */
  readonly accepted: Map<string, number>;
}

const SHAPE = { k: 32, iterationRounds: 4, stepRounds: 8 };
const START_S = 1_000_000;
const GAS = 6_000_000n;
const CLOCK_S = 302_400;
const WAITS_S = [0, 0, 60, 3_600, 10_799, 10_800, 21_600, 100_000, CLOCK_S - 1, CLOCK_S];
const STATUS_OPEN = 1n;

interface Known {
  readonly signed: Signed;
  readonly fields: Record<string, unknown>;
  readonly tree: readonly string[];
}

export async function playGame(game: Game): Promise<void> {
  const random = createRandom(game.seed);
  const rules = { shape: SHAPE, machine: createContractMachine(game.seed), mutant: undefined, gasPrice: 1 };
  const l1 = new L1(rules, { zk: 'sound', transparent: 'sound' }, FIRST_G);
  for (const owner of ['honest', 'liar'] as const) l1.newStake(owner);
  l1.create(0, trueEnd(rules, FIRST_G));
  l1.create(1, random.int(2 ** 31));
  const wallets = [1, 2].map((i) => new Wallet(toBeHex(game.seed * 10 + i, 32), game.side.provider));
  const nodes = l1.state.rollup.nodes;
  const parties = [partiesOf([at(nodes, 1), 0], [at(nodes, 2), 1]), partiesOf([at(nodes, 2), 1], [at(nodes, 1), 0])];
  const players = parties.map((p) => createPlayer({ game, l1, random, wallets, parties: p }));
  await beginOnContract(game, wallets, l1);
  for (let call = 0; call < game.calls; call++) {
    if (random.chance(0.15)) l1.advance(random.pick(WAITS_S));
    await random.pick(players)();
    for (const p of parties) await compare(game, l1, p, wallets);
  }
}

async function beginOnContract({ side }: Game, wallets: readonly Wallet[], l1: L1): Promise<void> {
  await side.provider.send('evm_setAutomine', [true]);
  for (const { address } of wallets) await side.provider.send('anvil_setBalance', [address, toBeHex(10n ** 24n)]);
  const ends = [1, 2].map((id) => side.encoding.hash(`g${at(l1.state.rollup.nodes, id).g}`));
  const stakes = wallets.map(({ address }) => [address, address, ZeroHash, 0, true, false]);
  const ids = [1, 2].map((id) => toBeHex(id, 32));
  const sent = await side.rollup.getFunction('begin').send(side.encoding.hash(`g${FIRST_G}`), ids, ends, stakes);
  await sent.wait();
}

interface Play {
  readonly game: Game;
  readonly l1: L1;
  readonly random: Random;
  readonly wallets: readonly Wallet[];
  readonly parties: Parties;
}

function partiesOnContract(parties: Parties, wallets: readonly Wallet[]): readonly unknown[] {
  const party = (which: Side): readonly unknown[] => {
    const { address } = at(wallets, parties.staker[which]);
    return [toBeHex(parties.node[which], 32), parties.staker[which], address, address];
  };
  return [encodeBytes32String('parent'), party('O'), party('R')];
}

/** Returns what makes one call, or one message of the talk, of a challenge. */
function createPlayer(play: Play): () => Promise<void> {
  const { game, l1, random, wallets, parties } = play;
  const { side, accepted } = game;
  const { encoding } = side;
  const named = partiesOnContract(parties, wallets);
  const known = new Map<number, Known>();
  const subject = l1.subject(parties);
  const liar: Liar = { l1, random, cheat: 0 };
  let id: string | undefined;

  const walletOf = (which: Side): Wallet => at(wallets, parties.staker[which]);
  const moverOf = (round: number): Side => (isOpenersRound(round) ? 'O' : 'R');
  const isHonest = (which: Side): boolean => parties.staker[which] === 0;

  async function learn(move: Move): Promise<Known> {
    const old = known.get(move.hash);
    if (old !== undefined) return old;
    id ??= (await side.manager.getFunction('challengeIdOf').staticCall(named)) as string;
    const points = move.points.map(encoding.hash);
    const tree = encoding.treeOf(points);
    const prev = known.get(move.prev);
    const fields = {
      challenge: id,
      ...placeOf(move),
      prev: prev === undefined ? ZeroHash : side.digestOf(prev.fields),
      start: encoding.hash(move.start),
      end: points.at(-1),
      root: tree[1],
    };
    const entry = { signed: { move, signer: parties.staker[moverOf(move.round)] }, fields, tree };
    known.set(move.hash, entry);
    return entry;
  }

  /** Both are asked; they have to agree. */
  async function ask(kind: string, model: () => boolean, call: [Wallet, string, readonly unknown[]], isTrue = false) {
    await (await side.rollup.getFunction('set').send(START_S + l1.state.clock, isTrue)).wait();
    const taken = model();
    const [wallet, name, args] = call;
    const connected = side.manager.connect(wallet) as typeof side.manager;
    const done = await connected
      .getFunction(name)
      .send(...args, { gasLimit: GAS })
      .then((sent) => sent.wait())
      .then(
        () => true,
        () => false,
      );
    assert.equal(done, taken, `seed ${game.seed}: ${kind} of ${parties.id}, the model says ${taken}`);
    if (taken) accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
  }

  function nextOf({ signed: { move } }: Known): Move | undefined {
    if (isLast(l1.rules, move)) return undefined;
    const mover = otherSide(moverOf(move.round));
    const lie = isStartTrue(l1.rules, subject, move) ? findLie(l1.rules, subject, move) : undefined;
    if (isHonest(mover) && lie !== undefined) return answer(l1.rules, subject, move, lie);
    const choice = random.int(SHAPE.k);
    if (move.round === SHAPE.iterationRounds && findG(startOf(move, choice)) === undefined) return undefined;
    const drawn = nextLie(liar, subject, move);
    if (drawn === undefined || !random.chance(0.1)) return drawn;
    return sealMove({ ...drawn, points: [...drawn.points.slice(0, -1), at(move.points, drawn.choice)] });
  }

  const opening = (): Move =>
    random.chance(0.7) && isHonest('O') ? firstMove(l1.rules, subject) : firstLie(liar, subject);

  async function open(): Promise<void> {
    const move = opening();
    const entry = await learn(move);
    const points = entry.tree.slice(SHAPE.k);
    await ask('open', () => l1.move(parties, undefined, move), [walletOf('O'), 'open', [named, points]]);
  }

  function pickKnown(): Known | undefined {
    const record = l1.state.challenges.get(parties.id);
    const position = record === undefined ? undefined : known.get(record.position.hash);
    if (position !== undefined && random.chance(0.6)) return position;
    const list = [...known.values()];
    return list.length === 0 ? undefined : random.chance(0.5) ? list.at(-1) : random.pick(list);
  }

  async function talk(): Promise<void> {
    const on = pickKnown();
    const next = on === undefined ? opening() : nextOf(on);
    if (next !== undefined && isKnownForm(next)) await learn(next);
  }

  async function move(): Promise<void> {
    const on = pickKnown();
    const next = on === undefined ? undefined : nextOf(on);
    if (on === undefined || next === undefined || !isKnownForm(next)) return;
    const entry = await learn(next);
    const signer = random.chance(0.85) ? on.signed.signer : 1 - on.signed.signer;
    const signature = await side.sign(at(wallets, signer), on.fields);
    const reply = [next.choice, openingOf(on.tree, next.choice), entry.tree.slice(SHAPE.k)];
    const isSteps = next.round === SHAPE.iterationRounds + 1;
    const g = findG(startOf(on.signed.move, next.choice)) ?? 0;
    const more = isSteps ? [encoding.openG(g), encoding.openState(at(next.points, SHAPE.k - 1))] : [];
    const name = isSteps ? 'answerBySteps' : 'answer';
    await ask('move', () => l1.move(parties, { move: on.signed.move, signer }, next), [
      walletOf(moverOf(next.round)),
      name,
      [named, on.fields, signature, reply, ...more],
    ]);
  }

  /** The contract refuses another encoding of the last state in the first round about steps, which the model lets pass. */
  function isKnownForm(next: Move): boolean {
    if (next.round !== SHAPE.iterationRounds + 1) return !next.start.includes('NaN');
    return !at(next.points, SHAPE.k - 1).includes('~') && !next.start.includes('NaN');
  }

  async function settle(): Promise<void> {
    const on = [...known.values()].filter(({ signed }) => isLast(l1.rules, signed.move)).at(-1) ?? pickKnown();
    if (on === undefined) return;
    const lie = findLie(l1.rules, subject, on.signed.move);
    const drawn = falseProof(liar, parties, on.signed);
    const choice = lie ?? 0;
    const pre = startOf(on.signed.move, choice);
    const isTruth = lie !== undefined && random.chance(0.6);
    const settlement = isTruth ? { ...drawn, choice, pre, post: l1.rules.machine.step(pre) ?? '' } : drawn;
    const signer = random.chance(0.85) ? on.signed.signer : 1 - on.signed.signer;
    const signature = await side.sign(at(wallets, signer), on.fields);
    const claim = [
      settlement.choice,
      openingOf(on.tree, settlement.choice),
      encoding.openState(settlement.pre),
      encoding.openState(settlement.post),
      [0xffffffff, ZeroHash, 0, `0x${'00'.repeat(16)}`, 0],
      '0x',
      '0x',
    ];
    const isTrue = settlement.post.replace('~', '') === l1.rules.machine.step(settlement.pre);
    if (findState(settlement.pre) === undefined || findState(settlement.post) === undefined) return;
    await ask(
      'settle',
      () => l1.settle({ ...settlement, on: { move: on.signed.move, signer } }),
      [walletOf('O'), 'settle', [named, on.fields, signature, claim]],
      isTrue,
    );
  }

  async function end(): Promise<void> {
    id ??= (await side.manager.getFunction('challengeIdOf').staticCall(named)) as string;
    if (random.chance(0.7)) {
      await ask('timeout or concede', () => l1.timeout(parties), [walletOf('O'), 'timeout', [named]]);
      return;
    }
    const by: Side = random.chance(0.5) ? 'O' : 'R';
    const isSigned = random.chance(0.2);
    const signature = await side.concede(walletOf(isSigned ? by : otherSide(by)), id);
    await ask('timeout or concede', () => l1.concede(parties, by, isSigned), [
      walletOf('R'),
      'concede',
      [named, by === 'O', signature],
    ]);
  }

  return () => {
    const kind = random.next();
    if (kind < 0.1) return open();
    if (kind < 0.35) return talk();
    if (kind < 0.8) return move();
    return kind < 0.93 ? settle() : end();
  };
}

/** The record on L1 is the model's. */
async function compare({ side, seed }: Game, l1: L1, parties: Parties, wallets: readonly Wallet[]): Promise<void> {
  const id = await side.manager.getFunction('challengeIdOf').staticCall(partiesOnContract(parties, wallets));
  const found = await side.manager.getFunction('challengeOf').staticCall(id);
  const record = l1.state.challenges.get(parties.id);
  if (record === undefined) {
    assert.notEqual(found.status, STATUS_OPEN, `seed ${seed}: a record that the model has not`);
    return;
  }
  // A settlement ends the record, so its time is not written any more.
  const mineSince = record.closed ? Number(found.since) : record.since + START_S;
  const mine = [!record.closed, record.position.round, record.clock.O, record.clock.R, mineSince];
  const { status, round, openerClockS, responderClockS, since } = found;
  const its = [status === STATUS_OPEN, ...[round, openerClockS, responderClockS, since].map(Number)];
  assert.deepEqual(its, mine, `seed ${seed}: the record of ${parties.id}`);
}
