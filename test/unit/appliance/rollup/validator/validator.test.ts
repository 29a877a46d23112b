import assert from 'node:assert/strict';
import { test } from 'node:test';
import { id } from 'ethers';
import type { L1Sender, Standing } from '../../../../../appliance/rollup/batcher/l1-sender.ts';
import { RpcRefusal } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { createFalseAlarms } from '../../../../../appliance/rollup/validator/false-alarms.ts';
import { createJudge } from '../../../../../appliance/rollup/validator/judge.ts';
import type { Step } from '../../../../../appliance/rollup/validator/next-steps.ts';
import { createValidator } from '../../../../../appliance/rollup/validator/validator.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import { created, createL1Double, ROOT, truth, word } from './validator-double.ts';

const signal = new AbortController().signal;
const log = createLogger({ level: 'silent' });
const LIE = word('b1');
const own = async ({ batch }: { batch: bigint }) => ({ ...truth(batch), block: batch });

function createHouse(l1 = createL1Double()) {
  const clock = { now: 0 };
  const sent: Step['kind'][] = [];
  const account = { standing: 'next' as Standing, bumps: 0, mined: 0n, seen: 0n, staked: false, refuse: '' };
  const stake = { isWanted: true, owedWei: 0n };
  const sender: L1Sender = {
    async send({ data }) {
      if (account.refuse !== '') {
        const data = { method: 'eth_estimateGas', code: 3 };
        throw new NectarError('ROLLUP_L1_REFUSED', data, { cause: new RpcRefusal(3, 'reverted', account.refuse) });
      }
      sent.push(data as Step['kind']);
      return {} as never;
    },
    bump: async () => {
      account.bumps += 1;
      return true;
    },
    standing: async () => account.standing,
  };
  const validator = createValidator(
    { pollMs: 1, resubmitMs: 1_000 },
    {
      follower: l1.follower(),
      judge: createJudge(own),
      alarms: createFalseAlarms(l1.engine, { log }),
      asserting: {
        address: word('99'),
        sender,
        finalState: (batch) => own({ batch }),
        wish: { isWanted: async () => stake.isWanted },
        calls: {
          findStake: async () => (account.staked ? { id: 0n, standsOn: ROOT, amountWei: 7n } : undefined),
          encode: async ({ kind }) => ({ to: word('aa'), data: kind as never }),
          owedWei: async () => stake.owedWei,
          nonceAt: async (_, block) => (block === 'latest' ? account.mined : account.seen),
        },
      },
      log,
      now: () => clock.now,
    },
  );
  return { l1, clock, sent, account, stake, validator };
}

test('one step at a time: the next one goes out when L1 has used the nonce of the last', async () => {
  const { l1, sent, account, validator } = createHouse();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  await validator.tick(signal);
  await validator.tick(signal);
  assert.deepEqual(sent, ['stake']);
  account.standing = 'used';
  account.staked = true;
  await validator.tick(signal);
  await validator.tick(signal);
  assert.deepEqual(sent, ['stake', 'create']);
});

test('says that L1 does not answer only while it does not, also where it asserts nothing', async () => {
  const l1 = createL1Double();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  const follower = l1.follower();
  let isDown = true;
  const down = new NectarError('ROLLUP_L1_UNREACHABLE', { method: 'x', reason: 'nothing listens there' });
  const validator = createValidator(
    { pollMs: 1, resubmitMs: 1_000 },
    {
      follower: { ...follower, advance: (until) => (isDown ? Promise.reject(down) : follower.advance(until)) },
      ...{ judge: createJudge(own), alarms: createFalseAlarms(l1.engine, { log }), log },
      now: () => 0,
    },
  );
  await validator.tick(signal);
  assert.equal(validator.state().waiting, down.message);
  isDown = false;
  await validator.tick(signal);
  assert.equal(validator.state().waiting, undefined);
});

test('never stakes twice: what is mined and not seen yet is waited for, also after a restart', async () => {
  const { l1, sent, account, validator } = createHouse();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  account.mined = 1n;
  await validator.tick(signal);
  assert.deepEqual(sent, []);
  account.seen = 1n;
  account.staked = true;
  await validator.tick(signal);
  assert.deepEqual(sent, ['create']);
});

test('in a gas spike it offers more for the same nonce; a nonce that a reorg took back is given up', async () => {
  const { l1, clock, sent, account, validator } = createHouse();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  await validator.tick(signal);
  clock.now = 500;
  await validator.tick(signal);
  assert.equal(account.bumps, 0);
  clock.now = 1_500;
  await validator.tick(signal);
  assert.equal(account.bumps, 1);
  account.standing = 'detached';
  await validator.tick(signal);
  await validator.tick(signal);
  assert.deepEqual(sent, ['stake', 'stake']);
});

test('a node that is to have no stake takes it back, claims what came back, and stakes no more', async () => {
  const { l1, sent, account, stake, validator } = createHouse();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  account.staked = true;
  stake.isWanted = false;
  await validator.tick(signal);
  account.staked = false;
  account.standing = 'used';
  await validator.tick(signal);
  await validator.tick(signal);
  assert.deepEqual(sent, ['unstake']);
  stake.owedWei = 10n ** 18n;
  await validator.tick(signal);
  await validator.tick(signal);
  stake.owedWei = 0n;
  await validator.tick(signal);
  assert.deepEqual(sent, ['unstake', 'claim']);
  stake.isWanted = true;
  await validator.tick(signal);
  assert.deepEqual(sent, ['unstake', 'claim', 'stake']);
});

test('says why L1 refuses, and is silent while it is only too early', async () => {
  const { l1, account, validator } = createHouse();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  account.refuse = `${id('NotValidator(address)').slice(0, 10)}${'00'.repeat(32)}`;
  await validator.tick(signal);
  assert.match(validator.state().waiting ?? '', /list of validators/);
  account.staked = true;
  account.refuse = `${id('TooEarly(bytes32,uint64)').slice(0, 10)}${'00'.repeat(64)}`;
  await validator.tick(signal);
  assert.equal(validator.state().waiting, undefined);
});

test('an alarm stays over a restart, says when the lie was confirmed, and ends with its death', async () => {
  const { l1, validator } = createHouse();
  l1.mine({ kind: 'confirmed', nodeId: ROOT }, created(LIE, ROOT, { ...truth(1n), blockHash: word('66') }));
  await validator.tick(signal);
  assert.deepEqual(
    validator.state().falseAlarms.map(({ nodeId, status }) => [nodeId, status]),
    [[LIE, 'live']],
  );
  l1.mine({ kind: 'confirmed', nodeId: LIE });
  const again = createHouse(l1).validator;
  await again.tick(signal);
  assert.equal(again.state().falseAlarms[0]?.status, 'confirmed');
  // L1 goes on upon the lie: the evidence is kept though the book has passed it.
  l1.mine(created(word('c1'), LIE, truth(2n)), { kind: 'confirmed', nodeId: word('c1') });
  await again.tick(signal);
  assert.ok(again.state().falseAlarms.some(({ nodeId }) => nodeId === LIE));

  const other = createHouse();
  other.l1.mine({ kind: 'confirmed', nodeId: ROOT }, created(LIE, ROOT, { ...truth(1n), blockHash: word('66') }));
  await other.validator.tick(signal);
  other.l1.mine({ kind: 'died', nodeId: LIE });
  await other.validator.tick(signal);
  assert.deepEqual(other.validator.state().falseAlarms, []);
});
