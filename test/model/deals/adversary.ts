import { QUESTIONS } from './deal-state.ts';
import type { HonestHolder, HonestOwner } from './honest.ts';
import { ask, CHUNKS, has, RATE, rootOf, sizeOf, type World } from './world.ts';

/** A thing that a party without rules may do. Some are what an honest one does, so that a game gets somewhere. */
type Act = (world: World) => void;

const some = (world: World): bigint => BigInt(1 + world.random.int(400)) * (RATE / 20n);

function someChunks({ random }: World): number[] {
  return Array.from({ length: CHUNKS }, (_, chunk) => chunk).filter(() => random.chance(0.6));
}

/** Whoever holds no key of the deal. */
const STRANGER: readonly Act[] = [
  ({ deals, now }) => deals.settle(now),
  ({ deals, now }) => deals.fault(now),
  ({ deals, now }) => deals.close(now),
  // Once more, that it comes soon after an end.
  ({ deals, now }) => deals.close(now),
  ({ deals, now }) => deals.giveNotice(now, 'stranger'),
  ({ deals, now, random }) => deals.answer(now, random.int(QUESTIONS + 1), false),
];

export function ownerActs(holder: HonestHolder): readonly Act[] {
  return [
    ...STRANGER,
    ({ deals, now, terms, random }) =>
      deals.deal === undefined && terms.length > 0 && deals.open(now, random.pick(terms)),
    (world) => world.deals.fund(world.now, 1n),
    (world) => world.deals.fund(world.now, some(world)),
    (world) => world.deals.withdraw(world.now, some(world)),
    ({ deals, now }) => deals.deal !== undefined && deals.withdraw(now, deals.deal.balance),
    // It gives the holder chunks and asks it to sign a set of some.
    (world) => {
      for (const chunk of someChunks(world)) world.kept[chunk] = 1;
    },
    (world) => void holder.sign(world, someChunks(world)),
    postAny,
    postAny,
    (world) => {
      const chunks = someChunks(world);
      const set = { root: rootOf(chunks), size: sizeOf(chunks) };
      const seq = world.random.int(40);
      world.deals.postSet(world.now, { ...set, seq, generation: world.deals.generation, signedBy: ['owner'] });
    },
    (world) => void ask(world),
    (world) => void ask(world),
    ({ deals, now }) => deals.giveNotice(now, 'owner'),
    ({ deals, now, random }) => random.chance(0.2) && deals.letGo(now),
  ];
}

/** Any set that the holder signed, with the owner's signature. */
function postAny(world: World): void {
  const { deals, now, random, sets } = world;
  if (sets.length > 0) deals.postSet(now, { ...random.pick(sets), signedBy: ['owner', 'holder'] });
}

export function holderActs(owner: HonestOwner): readonly Act[] {
  let seq = 0;
  const sign = (world: World, chunks: readonly number[]): void => {
    const { deals, now } = world;
    if (deals.deal === undefined) return;
    const needed = 90n * deals.pay(deals.deal, sizeOf(chunks));
    if (deals.deal.collateral < needed && world.random.chance(0.7)) deals.lock(now, needed - deals.deal.collateral);
    seq++;
    const set = { root: rootOf(chunks), size: sizeOf(chunks), seq, generation: deals.generation };
    world.sets.push({ ...set, signedBy: ['holder'] });
  };
  return [
    ...STRANGER,
    ({ deals, terms, now, random }) => {
      const validUntil = now + random.int(10_000_000);
      if (terms.length < 20) terms.push({ generation: deals.generation, rate: RATE, validUntil, signedBy: ['holder'] });
    },
    (world) => sign(world, owner.placed),
    (world) => sign(world, owner.placed),
    (world) => sign(world, someChunks(world)),
    (world) => {
      const { sets } = world;
      // Alone it can post nothing.
      if (sets.length > 0) world.deals.postSet(world.now, world.random.pick(sets));
    },
    ({ kept, random }) => lose(kept, random.int(CHUNKS), random.pick([1, 0.05, 0.01])),
    ({ kept, random }) => random.chance(0.1) && kept.fill(0),
    (world) => world.deals.unlock(world.now, some(world)),
    ({ deals, now }) => deals.deal !== undefined && deals.unlock(now, deals.deal.collateral),
    ({ deals, now }) => deals.giveNotice(now, 'holder'),
    ({ deals, now }) => deals.leaveUnpaid(now),
    (world) => {
      const index = world.random.int(QUESTIONS);
      world.deals.answer(world.now, index, has(world, index));
    },
  ];
}

function lose(kept: number[], chunk: number, part: number): void {
  kept[chunk] = Math.max(0, (kept[chunk] ?? 0) - part);
}
