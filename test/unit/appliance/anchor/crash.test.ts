import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createAnchor } from '../../../../appliance/anchor/index.ts';
import type { AnchorDeps } from '../../../../appliance/anchor/needs.ts';
import { createWorld, depsOf, type World } from './chain-double.ts';

const OPTIONS = { intervalMs: 100, pollMs: 3_600_000, resendAfterMs: 1_000, maxRecords: 2 };

/** Counts every step across the border of the service, before and after; the chosen one never returns, as after kill -9. */
class Border {
  steps = 0;
  readonly #last: number;
  readonly crashed = Promise.withResolvers<void>();

  constructor(last: number) {
    this.#last = last;
  }

  guard<A extends unknown[], R>(work: (...values: A) => Promise<R>): (...values: A) => Promise<R> {
    return async (...values) => {
      await this.#step();
      const result = await work(...values);
      await this.#step();
      return result;
    };
  }

  async #step(): Promise<void> {
    this.steps += 1;
    if (this.steps !== this.#last) return;
    this.crashed.resolve();
    await new Promise<never>(() => {});
  }
}

function guarded(world: World, border: Border): AnchorDeps {
  const deps = depsOf(world);
  const { records, audit, chain } = world;
  return {
    ...deps,
    metrics: new Registry(),
    records: {
      unanchored: border.guard((limit: number) => records.unanchored(limit)),
      markAnchored: border.guard((items, anchor) => records.markAnchored(items, anchor)),
    },
    audit: {
      treeHead: () => audit.treeHead(),
      checkpoint: border.guard(() => audit.checkpoint()),
      witnessed: border.guard((head) => audit.witnessed(head)),
      chainHeard: border.guard(() => audit.chainHeard()),
    },
    chain: {
      address: () => chain.address(),
      balance: border.guard(() => chain.balance()),
      send: border.guard((tx) => chain.send(tx)),
      call: border.guard((tx) => chain.call(tx)),
      safeBlock: () => chain.safeBlock(),
      isCurrent: () => chain.isCurrent(),
    },
  };
}

/** Runs rounds with a block after each, until the crash or to the end. */
async function run(world: World, border: Border, folder: string): Promise<void> {
  const anchor = createAnchor({ ...OPTIONS, folder }, guarded(world, border));
  const process = new AbortController();
  const work = (async () => {
    await anchor.start(process.signal);
    for (let round = 0; round < 10; round += 1) {
      await anchor.tick();
      world.chain.mine();
      world.chain.safe = world.chain.head - (round % 2 === 0 ? 1n : 0n);
      world.clock.now += 400;
      if (round < 3) world.audit.size += 1;
    }
    await anchor.stop();
  })();
  await Promise.race([work, border.crashed.promise]);
  process.abort();
}

test('a crash at any step neither loses an anchor nor makes one twice', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-anchor-crash-'));
  try {
    const whole = new Border(Number.POSITIVE_INFINITY);
    await run(prepared(), whole, join(folder, 'whole'));
    assert.ok(whole.steps > 40, 'there are steps to crash at');
    for (let step = 1; step <= whole.steps; step += 1) await crashAt(step, join(folder, `at-${step}`));
  } finally {
    await rm(folder, { recursive: true });
  }
});

function prepared(): World {
  const world = createWorld();
  world.records.add(5);
  world.audit.size = 1;
  return world;
}

async function crashAt(step: number, folder: string): Promise<void> {
  const world = prepared();
  await run(world, new Border(step), folder);
  world.chain.mine();
  await run(world, new Border(Number.POSITIVE_INFINITY), folder);
  const at = `crash at step ${step}`;
  assert.equal(world.records.waiting.size, 0, at);
  assert.equal(world.records.marked.size, 5, at);
  for (const roots of world.records.marked.values()) {
    assert.equal(new Set(roots).size, 1, `${at}: one root for each record`);
    assert.ok(world.chain.roots.has(`0x${roots[0]}`), `${at}: and it is on the chain`);
  }
  assert.equal(world.chain.roots.size, 3, `${at}: no root without need`);
  assert.equal(world.chain.reverted, 0, `${at}: nothing sent twice`);
  assert.equal(world.chain.checkpoints.at(-1)?.size, BigInt(world.audit.size), at);
}
