import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { computeAddress, hexlify } from 'ethers';
import { ethCall } from '../../../appliance/anchor/index.ts';
import {
  type AuditorDesk,
  createAuditorDesk,
  createMembership,
  type Membership,
} from '../../../appliance/membership/index.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { peerIdOf } from '../../../protocol/network/node-identity.ts';
import { createTestNetwork, eventually, operatorKey, type RunningNode, type TestNetwork } from './test-network.ts';

/** One node's whole way through the network's due process, on real nodes: docs/design/0033. */
const accountOf = (name: string): Hex => computeAddress(hexlify(operatorKey(name))).toLowerCase() as Hex;
const AUDITORS = ['first', 'second', 'third'] as const;
const seed = ed25519.utils.randomSecretKey();
const peerId = peerIdOf(ed25519.getPublicKey(seed));
const evidence = `0x${'5d'.repeat(32)}`;
const DAY = 86_400;

let network: TestNetwork;
let clinic: RunningNode;
let membership: Membership;
let addresses = ['/ip4/10.0.0.1/tcp/4640'];
const desks = new Map<string, AuditorDesk>();
const desk = (name: (typeof AUDITORS)[number]): AuditorDesk => desks.get(name) as AuditorDesk;

before(async () => {
  const accounts = AUDITORS.map(accountOf);
  network = await createTestNetwork({ auditors: accounts, rich: [...accounts, accountOf('clinic')] });
  await network.startSequencer();
  clinic = await network.startFollower('clinic');
  membership = createMembership({
    ...{ l2ChainId: 6_328_270n, peerId: () => peerId, identitySeed: async () => seed, addresses: () => addresses },
    ...{ registry: clinic.rollup.registry, announced: clinic.rollup.announced, account: clinic.rollup.account },
    ...{ call: ethCall((body) => clinic.rollup.rpc(body)), now: Date.now },
  });
  for (const name of AUDITORS) {
    const { rollup } = await network.startFollower(name);
    const rpc = (body: unknown): Promise<unknown> => rollup.rpc(body);
    const { announced: registry, account } = rollup;
    desks.set(name, createAuditorDesk({ registry, account, rpc, call: ethCall(rpc), now: Date.now }));
    await eventually('the chain', () => rollup.readiness().ready);
  }
});

after(async () => {
  await network?.stop();
});

/** Until the node's own state, which follows L1, says so. */
async function stands(status: string): Promise<void> {
  await eventually(status, async () => (await membership.standing()).status === status);
}

/** What an auditor has not heard of yet is waited for: its own node follows the chain too. */
async function decide(name: (typeof AUDITORS)[number], decision: Parameters<AuditorDesk['decide']>[0], status: string) {
  await stands(status);
  await eventually(`${name} to hear of ${status}`, async () => {
    const { due } = await desk(name).queue();
    const seen = due.find((entry) => entry.peerId === peerId)?.standing.status;
    return seen === status || (seen === undefined && ['active', 'draining'].includes(status));
  });
  return desk(name).decide(decision);
}

const attest = { verb: 'attest', peerId, evidence, validUntil: Math.floor(Date.now() / 1000) + 90 * DAY } as const;
const failure = (verb: 'warn' | 'suspend' | 'eject') => ({ verb, peerId, evidence, reason: 'report' }) as const;

test('an applicant waits in the queue of each auditor, and one attests it', async () => {
  await membership.join();
  await stands('applied');
  await eventually('the queue', async () => (await desk('first').queue()).due[0]?.why === 'application');
  const { account, isAuditor, due } = await desk('first').queue();
  assert.deepEqual([account, isAuditor, due.length], [accountOf('first'), true, 1]);
  await decide('first', attest, 'applied');
  await stands('active');
  assert.ok(Date.parse((await membership.standing()).validUntil ?? '') > Date.now() + 80 * DAY * 1000);
});

test('a failed audit warns, and another auditor suspends; nobody does it alone in seven days', async () => {
  await decide('first', failure('warn'), 'active');
  await stands('warned');
  await assert.rejects(decide('first', failure('suspend'), 'warned'), { code: 'NETWORK_DECISION_REFUSED' });
  await decide('second', failure('suspend'), 'warned');
  await stands('suspended');
  await eventually('the queue', async () => (await desk('third').queue()).due[0]?.why === 'suspended');
  await decide('third', attest, 'suspended');
  await stands('active');
});

test('addresses that changed are written without another join', async () => {
  addresses = ['/ip4/10.0.0.2/tcp/4640'];
  assert.notEqual(await membership.keepAddresses(), undefined);
  await eventually('the entry', async () =>
    (await clinic.rollup.registry.holder(peerId))?.addresses.includes('/ip4/10.0.0.2/tcp/4640'),
  );
  assert.equal(await membership.keepAddresses(), undefined);
});

test('voted out it drains, appeals, and is judged by who did not vote', async () => {
  await assert.rejects(membership.appeal({ evidence }), { code: 'NETWORK_APPEAL_REFUSED' });
  await decide('first', failure('eject'), 'active');
  await assert.rejects(desk('first').decide(failure('eject')), { code: 'NETWORK_DECISION_REFUSED' });
  await decide('second', failure('eject'), 'active');
  await stands('draining');
  const { drainsUntil, appealUntil } = await membership.standing();
  assert.equal((Date.parse(drainsUntil ?? '') - Date.parse(appealUntil ?? '')) / 1000, 16 * DAY);
  await assert.rejects(membership.leave(), { code: 'NETWORK_LEAVE_REFUSED' });
  await membership.appeal({ evidence });
  await eventually('the appeal', async () => (await membership.standing()).appealedAt);
  await eventually('the queue', async () => (await desk('first').queue()).due[0]?.why === 'appeal');
  const readmit = { verb: 'readmit', peerId, evidence } as const;
  await assert.rejects(desk('first').decide(readmit), { code: 'NETWORK_DECISION_REFUSED' });
  await eventually('the queue', async () => (await desk('third').queue()).due[0]?.why === 'appeal');
  await desk('third').decide(readmit);
  await stands('suspended');
  await decide('second', attest, 'suspended');
  await stands('active');
});

test('it leaves by its owner alone, is no member at once, and comes back as an applicant', async () => {
  assert.equal((await membership.leave()).membership, 'active');
  await stands('left');
  assert.equal(await clinic.rollup.registry.isAuthorized(peerId), false);
  assert.equal(await membership.keepAddresses(), undefined);
  assert.equal((await membership.join()).membership, 'applied');
  await stands('applied');
  await decide('first', attest, 'applied');
  await stands('active');
});

test('an account that is no auditor decides nothing', async () => {
  const { announced: registry, account } = clinic.rollup;
  const rpc = (body: unknown): Promise<unknown> => clinic.rollup.rpc(body);
  const stranger = createAuditorDesk({ registry, account, rpc, call: ethCall(rpc), now: Date.now });
  assert.equal((await stranger.queue()).isAuditor, false);
  await assert.rejects(stranger.decide(failure('warn')), { code: 'NETWORK_NOT_AUDITOR' });
  const unknown = peerIdOf(ed25519.getPublicKey(ed25519.utils.randomSecretKey()));
  await assert.rejects(desk('first').decide({ ...attest, peerId: unknown }), { code: 'NETWORK_ENTRY_UNKNOWN' });
});
