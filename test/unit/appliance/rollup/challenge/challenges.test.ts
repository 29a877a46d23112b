import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Rivalry } from '../../../../../appliance/rollup/challenge/rivalry.ts';
import type { Reach } from '../../../../../appliance/rollup/challenge/talks.ts';
import { L1Double } from './l1-double.ts';
import { MOVING } from './toy-machine.ts';
import { createPlayer, type Lie, rivalriesWith, turned } from './twins.ts';

const root = mkdtempSync(join(tmpdir(), 'nectar-challenges-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, `${folders++}`);

const NEVER = 90 * 86_400;
const STEP_S = 3_600;
const signal = new AbortController().signal;
const nobody: Reach = { canReach: () => false, exchange: async () => undefined };

type Player = ReturnType<typeof createPlayer>;

interface Scene {
  readonly lie: Lie;
  /** The way from the honest side to the liar; the liar's own player is given to it. */
  readonly reach?: (liar: Player, rivalry: Rivalry) => Reach;
  readonly opens?: 'honest' | 'liar';
  /** The liar puts nothing on L1 after so many looks. */
  readonly liarStopsAfter?: number;
  readonly lose?: () => boolean;
  /** Before each look of the honest side. */
  readonly disturb?: (scene: Playing) => void;
}

interface Playing {
  readonly l1: L1Double;
  honest: Player;
  readonly restart: (isFolderLost: boolean) => void;
}

/** Plays until L1 has decided. The liar moves first in every hour. */
async function play({ lie, reach, opens = 'honest', liarStopsAfter = NEVER, lose, disturb }: Scene) {
  const l1 = new L1Double();
  const { honestOpens, liarOpens } = await rivalriesWith(lie);
  const rivalry = opens === 'honest' ? honestOpens : liarOpens;
  const liar = createPlayer({ l1, rivalries: () => [turned(rivalry)], folder: newFolder(), reach: nobody, lie });
  let folder = newFolder();
  const start = (): Player =>
    createPlayer({
      l1,
      rivalries: () => [rivalry],
      folder,
      reach: reach?.(liar, rivalry) ?? nobody,
      ...(lose && { lose }),
    });
  const playing: Playing = {
    l1,
    honest: start(),
    restart(isFolderLost) {
      if (isFolderLost) folder = newFolder();
      playing.honest = start();
    },
  };
  const { id } = rivalry.subject;
  for (let hours = 0; l1.winnerOf(id) === undefined && l1.now < NEVER; hours++) {
    if (hours < liarStopsAfter) await liar.challenges.tick(signal);
    disturb?.(playing);
    await playing.honest.challenges.tick(signal);
    await playing.honest.talked();
    l1.now += STEP_S;
  }
  const winner = l1.winnerOf(id);
  return { won: winner === rivalry.side, log: l1.log, l1, honest: playing.honest, id };
}

const talkative: Scene['reach'] = (liar, rivalry) => ({
  canReach: () => true,
  exchange: (_, message) => liar.conversations.hear(turned(rivalry), message),
});

const lie = (iteration: number | bigint, step: number | bigint): Lie => ({
  iteration: BigInt(iteration),
  step: BigInt(step),
  name: `${iteration}/${step}`,
});

/** In the first iteration, in the one that fails, in the last that moves, and in the last of all, which stands still. */
const LIES = [lie(1, 1), lie(4, 2n ** 40n), lie(MOVING, 33), lie(2n ** 20n, 2n ** 39n)];

describe('a liar that does not talk', () => {
  for (const one of LIES) {
    it(`loses as responder in seven entries of the honest side (${one.name})`, async () => {
      const { won, log } = await play({ lie: one });
      assert.equal(won, true);
      assert.deepEqual(
        log.filter((entry) => entry.startsWith('O')),
        ['O open 1', ...[3, 5, 7, 9, 11].map((round) => `O answer ${round}`), 'O settle'],
      );
    });
    it(`loses as opener, which has nothing to prove (${one.name})`, async () => {
      const { won, log } = await play({ lie: one, opens: 'liar' });
      assert.equal(won, true);
      assert.equal(log.at(-1), 'R timeout');
      assert.equal(log.filter((entry) => entry.startsWith('R answer')).length, 6);
    });
  }
  for (const looks of [0, 1, 2, 5]) {
    it(`and stops after ${looks} looks runs out of clock`, async () => {
      const { won, log } = await play({ lie: lie(3, 9), liarStopsAfter: looks });
      assert.equal(won, true);
      assert.equal(log.at(-1), 'O timeout');
    });
  }
});

describe('a liar that talks', () => {
  it('loses by one transaction', async () => {
    for (const one of LIES) {
      const { won, log } = await play({ lie: one, reach: talkative });
      assert.equal(won, true);
      assert.deepEqual(log, ['O settle']);
    }
  });
  for (const rounds of [2, 4, 6, 10]) {
    it(`until round ${rounds} only loses on L1, from where the two stood`, async () => {
      const reach: Scene['reach'] = (liar, rivalry) => ({
        canReach: () => true,
        exchange: async (_, message) =>
          message.move.round < rounds ? liar.conversations.hear(turned(rivalry), message) : undefined,
      });
      const { won, log } = await play({ lie: lie(5, 50), reach });
      assert.equal(won, true);
      assert.equal(log[0], `O answer ${rounds + 1}`);
    });
  }
  it('and then opens on L1 from an old message loses by the newest that it signed', async () => {
    const l1 = new L1Double();
    const one = lie(5, 50);
    const { honestOpens: rivalry } = await rivalriesWith(one);
    const liar = createPlayer({ l1, rivalries: () => [turned(rivalry)], folder: newFolder(), reach: nobody, lie: one });
    const honest = createPlayer({ l1, rivalries: () => [rivalry], folder: newFolder(), reach: nobody });
    let said = await honest.conversations.newest(rivalry);
    const first = said;
    while (said !== undefined) {
      const answer = await liar.conversations.hear(turned(rivalry), said);
      if (answer === undefined) break;
      said = await honest.conversations.hear(rivalry, answer);
    }
    assert.ok(first !== undefined);
    l1.enter({ kind: 'open', rivalry, move: first.move });
    await honest.challenges.tick(signal);
    assert.deepEqual(l1.log, ['O open 1', 'O settle']);
  });
});

describe('the honest side loses nothing', () => {
  for (const [name, reach] of Object.entries({ 'that is silent': undefined, 'that talks': talkative }))
    it(`when it is killed after every look, its file kept or lost, against a liar ${name}`, async () => {
      for (const losses of [0, 3]) {
        let looks = 0;
        const disturb: Scene['disturb'] = ({ restart }) => restart(looks++ < losses);
        const { won } = await play({ lie: lie(6, 20), ...(reach && { reach }), disturb });
        assert.equal(won, true);
      }
    });
  it('when every transaction is lost once', async () => {
    let sent = 0;
    const { won } = await play({ lie: lie(6, 20), lose: () => sent++ % 2 === 0 });
    assert.equal(won, true);
  });
  it('when L1 takes each of its entries back once', async () => {
    const taken = new Set<string>();
    let before: { records: L1Double['records']; entries: number } | undefined;
    const { won, log } = await play({
      lie: lie(6, 20),
      disturb: ({ l1 }) => {
        const newest = l1.log.at(-1) ?? '';
        if (before !== undefined && newest.startsWith('R') && !taken.has(newest)) {
          taken.add(newest);
          l1.records = new Map(before.records);
        }
        before = { records: new Map(l1.records), entries: l1.log.length };
      },
    });
    assert.equal(won, true);
    assert.ok(taken.size >= 5 && log.length > 13, `${taken.size} reorgs, ${log.join()}`);
  });
  it('while the guardian has frozen all, nor sends anything then', async () => {
    let looks = 0;
    const { won, log } = await play({
      lie: lie(6, 20),
      disturb: ({ l1 }) => {
        looks += 1;
        l1.frozen = looks > 3 && looks < 8;
      },
    });
    assert.equal(won, true);
    assert.equal(log.filter((entry) => entry.startsWith('O')).length, 7);
  });
  it('against forty rivals at once', async () => {
    const l1 = new L1Double();
    const lies = Array.from({ length: 40 }, (_, index) => ({
      ...lie(1 + (index % 4), 1 + index),
      name: `rival ${index}`,
    }));
    const pairs = await Promise.all(lies.map((one, index) => rivalriesWith(one, BigInt(100 + index))));
    const all = pairs.map(({ honestOpens }) => honestOpens);
    const honest = createPlayer({ l1, rivalries: () => all, folder: newFolder(), reach: nobody });
    const liars = lies.map((one, index) => {
      const rivalry = all[index];
      assert.ok(rivalry);
      return createPlayer({ l1, rivalries: () => [turned(rivalry)], folder: newFolder(), reach: nobody, lie: one });
    });
    const MINUTES = 60;
    const isOver = (): boolean => all.every(({ subject }) => l1.winnerOf(subject.id) !== undefined);
    for (let looks = 0; !isOver() && looks < 2_000; looks++) {
      await honest.challenges.tick(signal);
      for (const [index, liar] of liars.entries())
        if (l1.isTurnOf(all[index]?.subject.id, 'R')) await liar.challenges.tick(signal);
      l1.now += MINUTES;
    }
    assert.deepEqual([...new Set(all.map(({ subject }) => l1.winnerOf(subject.id)))], ['O']);
  });
});
