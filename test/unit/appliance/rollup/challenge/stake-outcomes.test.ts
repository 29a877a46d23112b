import assert from 'node:assert/strict';
import { test } from 'node:test';
import { id } from 'ethers';
import { createOutcomesInView } from '../../../../../appliance/rollup/challenge/stake-outcomes.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

const signal = new AbortController().signal;
const wordOf = (value: number | string): string => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
const OWNER: Hex = `0x${'ca'.repeat(20)}`;
const OTHER = `0x${'0b'.repeat(20)}`;
const STAKED = id('Staked(uint256,address,address,bytes32,uint256)');
const ELIMINATED = id('StakeEliminated(uint256,uint256,uint256,uint256,uint256)');

/** Logs by the rules of eth_getLogs: a list is any of it, null is anything. */
function createHouse() {
  const state = { logs: [] as string[][], isDown: false, asked: 0, now: 0 };
  const rpc = {
    async call(_: string, [filter]: readonly unknown[]) {
      if (state.isDown) throw new Error('silent');
      state.asked += 1;
      const { topics } = filter as { topics: (string | string[] | null)[] };
      const fits = (log: string[]) =>
        topics.every((topic, at) => topic === null || [topic].flat().includes(log[at] ?? ''));
      return state.logs.filter(fits).map((log) => ({ topics: log }));
    },
  };
  const log = createLogger({ level: 'silent' });
  const options = { rollup: `0x${'aa'.repeat(20)}` as Hex, firstL1Block: 0n, owner: OWNER };
  return { state, view: createOutcomesInView(options, { rpc: rpc as never, log, now: () => state.now }) };
}

test('counts what the stakes of this account won and lost, and of no other', async () => {
  const { state, view } = createHouse();
  assert.equal(view.newest(), undefined);
  state.logs = [
    [STAKED, wordOf(3), wordOf(OWNER)],
    [STAKED, wordOf(4), wordOf(OTHER)],
    [STAKED, wordOf(5), wordOf(OWNER)],
    [ELIMINATED, wordOf(4), wordOf(3)],
    [ELIMINATED, wordOf(9), wordOf(5)],
    [ELIMINATED, wordOf(3), wordOf(8)],
    [ELIMINATED, wordOf(8), wordOf(4)],
  ];
  await view.look(0, signal);
  assert.deepEqual(view.newest(), { won: 2, lost: 1 });
});

test('an account without a stake has won and lost nothing, whatever others did', async () => {
  const { state, view } = createHouse();
  state.logs = [[ELIMINATED, wordOf(4), wordOf(3)]];
  await view.look(0, signal);
  assert.deepEqual(view.newest(), { won: 0, lost: 0 });
});

test('asks when rivals come or go, and after a while; an L1 that does not answer changes nothing', async () => {
  const { state, view } = createHouse();
  state.isDown = true;
  await view.look(0, signal);
  assert.equal(view.newest(), undefined);
  state.isDown = false;
  await view.look(0, signal);
  await view.look(0, signal);
  assert.equal(state.asked, 1);
  await view.look(2, signal);
  assert.equal(state.asked, 2);
  state.now = 600_000;
  await view.look(2, signal);
  assert.equal(state.asked, 3);
  state.isDown = true;
  await view.look(0, signal);
  assert.deepEqual(view.newest(), { won: 0, lost: 0 });
});
