import { BOND, DAY_S, type DealState, QUESTIONS, type SignedSet, UNPAID_EPOCHS } from './deal-state.ts';
import { ask, broken, CHUNKS, chunksOf, has, lostOf, RATE, rootOf, sizeOf, type World } from './world.ts';

const ALL = Array.from({ length: CHUNKS }, (_, chunk) => chunk);
/** The same question so often, six hours apart, before silence counts. */
const TRIES = 8;
const TRY_S = DAY_S / 4;
const FUNDED_EPOCHS = 5n;
const SICK_S = 25 * DAY_S;

/** An owner that follows the rules: stores, audits daily, pays, asks on the chain when an audit failed, and moves away. */
export class HonestOwner {
  /** Chunks that it placed at the holder. */
  placed: number[] = [];
  /** Since when it knows that the holder lost something. */
  failedAt: number | undefined;
  leavingAt: number | undefined;
  #seq = 0;
  #silent = 0;
  #auditedAt = 0;
  #sickUntil = 0;

  /** @param answers whether the holder answers an audit off chain; honest ones do when they are up */
  act(world: World, answers: boolean): void {
    const { deals, now } = world;
    if (deals.deal === undefined) {
      this.#open(world);
      return;
    }
    if (isOver(deals.deal, now)) leave(world);
    // It audits until the end: a holder under notice could throw everything away and be paid for thirty days.
    this.#audit(world, answers);
    if (this.failedAt !== undefined) {
      this.#accuse(world);
      return;
    }
    // Ejected, it serves for thirty days: less than a notice may have left.
    if (world.ejectedAt !== undefined && now - world.ejectedAt > 10 * DAY_S) {
      this.#moveAway(world);
      return;
    }
    if (this.leavingAt !== undefined) return;
    this.#fund(world);
    this.#grow(world);
  }

  #open(world: World): void {
    const { deals, now, terms } = world;
    if (this.leavingAt !== undefined || this.failedAt !== undefined) return;
    const offered = terms.find(({ generation, validUntil }) => generation === deals.generation && validUntil >= now);
    if (offered !== undefined && deals.open(now, offered) === undefined) this.placed = [];
  }

  /** It keeps little there, and is sick now and then, for less time than a holder has to wait. */
  #fund({ deals, now, random }: World): void {
    if (random.chance(0.002)) this.#sickUntil = now + SICK_S;
    const { deal } = deals;
    if (deal === undefined || now < this.#sickUntil) return;
    const wanted = deal.arrears + FUNDED_EPOCHS * deals.pay(deal, sizeOf(ALL));
    if (deal.balance < wanted) deals.fund(now, wanted - deal.balance);
  }

  #grow(world: World): void {
    const { random } = world;
    if (this.placed.length < CHUNKS && random.chance(0.3)) {
      // The chunk goes to the holder, which has it whole now.
      const chunk = this.placed.length;
      this.placed.push(chunk);
      world.kept[chunk] = 1;
    }
    this.#post(world);
  }

  /** It signs what the holder signed first, when it is what it placed. */
  #post({ deals, now, sets }: World): void {
    const signed = sets.findLast(
      ({ generation, root }) => generation === deals.generation && root === rootOf(this.placed),
    );
    if (signed === undefined || signed.seq <= this.#seq) return;
    const refusal = deals.postSet(now, { ...signed, signedBy: ['owner', 'holder'] });
    if (refusal === undefined) this.#seq = signed.seq;
  }

  #audit(world: World, answers: boolean): void {
    const { now, random, mutant } = world;
    const root = world.deals.deal?.set.root ?? '';
    const isRetry = this.#silent > 0;
    if (root === '' || now - this.#auditedAt < (isRetry ? TRY_S : DAY_S)) return;
    this.#auditedAt = now;
    if (!answers) {
      this.#silent++;
      if (this.#silent >= (mutant === 'silence is a failure' ? 1 : TRIES)) this.failedAt = now;
      return;
    }
    this.#silent = 0;
    const found = random.chance(1 - (1 - lostOf(world, root)) ** 40);
    if (found && mutant !== 'audits are trusted') this.failedAt = now;
  }

  /** The bytes are made anew elsewhere. What the holder lost is asked for on the chain as long as that can bring something. */
  #accuse(world: World): void {
    const { deals, now } = world;
    if (deals.question !== undefined) {
      deals.fault(now);
      return;
    }
    // What is elsewhere by now leaves the set, when the holder signs.
    if (this.placed.length > 1) this.placed.pop();
    this.#post(world);
    const collateral = deals.deal?.collateral ?? 0n;
    const bound = (this.failedAt ?? now) + 3 * DAY_S;
    if (now < bound && collateral > 5n * BOND && ask(world) === undefined) return;
    this.#moveAway(world);
  }

  #moveAway(world: World): void {
    if (world.deals.letGo(world.now) === undefined) this.leavingAt ??= world.now;
  }

  /** Wants to be out, at the end of a game. */
  giveUp(world: World): void {
    if (world.deals.deal === undefined || this.leavingAt !== undefined) return;
    const refusal = world.deals.giveNotice(world.now, 'owner');
    if (refusal === undefined || refusal === 'DealOver') this.leavingAt = world.now;
  }
}

/** A holder that keeps what it signed, answers what it is asked, and leaves when it is not paid. */
export class HonestHolder {
  leavingAt: number | undefined;
  #seq = 0;
  #generation = 0;

  act(world: World): void {
    const { deals, now } = world;
    if (deals.generation !== this.#generation) [this.#generation, this.#seq] = [deals.generation, 0];
    this.#answer(world);
    if (deals.deal === undefined) {
      this.#offer(world);
      return;
    }
    this.#clean(world);
    deals.settle(now);
    if (deals.deal.unpaidEpochs >= UNPAID_EPOCHS && deals.leaveUnpaid(now) === undefined) this.leavingAt ??= now;
    if (isOver(deals.deal, now)) leave(world);
  }

  #offer({ deals, terms, now }: World): void {
    if (this.leavingAt !== undefined || terms.some(({ generation }) => generation === deals.generation)) return;
    const validUntil = now + 365 * DAY_S;
    terms.push({ generation: deals.generation, rate: RATE, validUntil, signedBy: ['holder'] });
  }

  /** Signs a set of what it has, whole; and covers it. */
  sign(world: World, chunks: readonly number[]): SignedSet | undefined {
    const { deals, now, kept } = world;
    const { deal } = deals;
    if (deal === undefined || this.leavingAt !== undefined || chunks.some((chunk) => kept[chunk] !== 1))
      return undefined;
    const needed = 90n * deals.pay(deal, sizeOf(chunks));
    if (deal.collateral < needed && deals.lock(now, needed - deal.collateral) !== undefined) return undefined;
    this.#seq++;
    const set = { generation: deals.generation, seq: this.#seq, root: rootOf(chunks), size: sizeOf(chunks) };
    const signed: SignedSet = { ...set, signedBy: ['holder'] };
    world.sets.push(signed);
    return signed;
  }

  #answer(world: World): void {
    for (let index = 0; index < QUESTIONS && world.deals.question !== undefined; index++)
      world.deals.answer(world.now, index, has(world, index));
  }

  /** Deletes what no set has that is in force, comes into force, was signed and may still be posted, or is asked about. */
  #clean(world: World): void {
    const { deals, now, sets, kept } = world;
    const { deal, question } = deals;
    if (deal === undefined) return;
    const over = isOver(deal, now);
    const newest = deal.next?.seq ?? deal.set.seq;
    const mayCome = sets.filter(({ generation, seq }) => generation === deals.generation && seq > newest);
    const roots = over ? [] : [deal.set.root, deal.next?.root ?? '', ...mayCome.map(({ root }) => root)];
    const needed = new Set([...roots, question?.root ?? ''].flatMap(chunksOf));
    // What came and is in no set yet stays.
    const released = sets.flatMap(({ root }) => chunksOf(root)).filter((chunk) => !needed.has(chunk));
    for (const chunk of released) kept[chunk] = 0;
  }

  giveUp(world: World): void {
    if (world.deals.deal === undefined || this.leavingAt !== undefined) return;
    const refusal = world.deals.giveNotice(world.now, 'holder');
    if (refusal === undefined || refusal === 'DealOver') this.leavingAt = world.now;
  }
}

const isOver = ({ endsAt }: DealState, now: number): boolean => endsAt !== 0 && endsAt <= now;

/** What anybody may call who wants the deal over: a question that nobody answered ends, and then the deal. */
function leave({ deals, now }: World): void {
  if (deals.question !== undefined) deals.fault(now);
  while (deals.settle(now) === undefined && deals.close(now) === 'SettleFirst');
}

/** What an honest holder must never see: money of its own that went, of a deal in which it did everything. */
export function checkHolder(world: World, slashedBefore: number): void {
  if (world.deals.faulted.size > slashedBefore) broken(world, 'an honest holder was slashed');
  const { deal } = world.deals;
  world.arrearsSince = deal === undefined || deal.arrears === 0n ? undefined : (world.arrearsSince ?? world.now);
  const most = UNPAID_EPOCHS + 3;
  if (world.now - (world.arrearsSince ?? world.now) > most * DAY_S)
    broken(world, `a holder was owed something for more than ${most} days`);
}
