import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexlify, Interface, parseEther, ZeroHash } from 'ethers';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import { NodeRegistryAbi } from '../../../contracts/generated/NodeRegistry.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { encodePeerId, peerIdOf } from '../../../protocol/network/node-identity.ts';
import { signNodeStatement } from '../../../protocol/network/node-statement.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import {
  createTestNetwork,
  eventually,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from './test-network.ts';

const registry = new Interface([...NodeRegistryAbi]);
const peerSeed = ed25519.utils.randomSecretKey();
const peerId = peerIdOf(ed25519.getPublicKey(peerSeed));
const unsignedPeer = peerIdOf(ed25519.getPublicKey(ed25519.utils.randomSecretKey()));
let network: TestNetwork;
let sequencer: SequencerNode;
let node: RunningNode;

before(async () => {
  network = await createTestNetwork();
  sequencer = await network.startSequencer();
  node = await network.startFollower('clinic');
});

after(async () => {
  await network?.stop();
});

const VALUE = parseEther('0.1');

function application(bytes: Hex, seed = peerSeed): Hex {
  const operator = node.rollup.account.address();
  const statement = signNodeStatement({ l2ChainId: 6_328_270n, owner: operator, operator }, seed);
  const addresses = ['/ip4/10.0.0.1/tcp/4640'];
  const fields = { peerId: bytes, addresses, kind: 1, operator, evidence: ZeroHash, statement };
  return registry.encodeFunctionData('submitApplication', [fields]) as Hex;
}

test('an operator account without ether says so, before anything is sent', async () => {
  const data = application(hexlify(encodePeerId(peerId)) as Hex);
  await eventually('the chain', () => node.rollup.readiness().ready);
  await assert.rejects(node.rollup.account.send({ to: PREDEPLOYS.nodeRegistry, data, valueWei: VALUE }), {
    code: 'ROLLUP_ACCOUNT_FUNDS',
  });
});

test('a node applies, is attested, and every node reads its admission from its own state', async () => {
  const { faucet } = network.l1.accounts;
  const to = node.rollup.account.address();
  await depositEth(
    { rpcUrl: network.l1.rpcUrl, key: faucet.key },
    { inbox: network.descriptor.l1.inbox, to, amountWei: parseEther('1') },
  );
  await eventually('the deposit', async () => (await node.rollup.account.balance()) > 0n);
  assert.equal(await node.rollup.registry.isAuthorized(peerId), false);

  const data = application(hexlify(encodePeerId(peerId)) as Hex);
  const sent = [
    await node.rollup.account.send({ to: PREDEPLOYS.nodeRegistry, data, valueWei: VALUE }),
    // A second one at once, of someone whose peer id is none: it takes the next nonce and no one is misled by it.
    await node.rollup.account.send({ to: PREDEPLOYS.nodeRegistry, data: application('0x1234'), valueWei: VALUE }),
    // A stranger's peer id, with a statement that its key never made.
    await node.rollup.account.send({
      to: PREDEPLOYS.nodeRegistry,
      data: application(hexlify(encodePeerId(unsignedPeer)) as Hex),
      valueWei: VALUE,
    }),
  ];
  for (const hash of sent) {
    const receipt = await eventually('the receipt', () => node.rollup.account.receipt(hash));
    assert.equal(receipt.status, 1);
  }
  await eventually('admission', () => node.rollup.registry.isAuthorized(peerId));
  const [member, ...others] = await node.rollup.registry.members();
  assert.equal(others.length, 0);
  assert.equal(await node.rollup.registry.find(unsignedPeer, node.rollup.account.address()), undefined);
  assert.equal(await node.rollup.registry.isAuthorized(unsignedPeer), false);
  assert.equal(member?.peerId, peerId);
  assert.equal(member?.status, 'active');
  assert.deepEqual(member?.addresses, ['/ip4/10.0.0.1/tcp/4640']);
  assert.equal(member?.operator, node.rollup.account.address());
  await eventually('the sequencer to know', () => sequencer.rollup.registry.isAuthorized(peerId));
});

test('a call that would revert is not sent', async () => {
  const data = application(hexlify(encodePeerId(peerId)) as Hex);
  await assert.rejects(node.rollup.account.send({ to: PREDEPLOYS.nodeRegistry, data, valueWei: VALUE }), {
    code: 'ROLLUP_ACCOUNT_CALL_REVERTED',
  });
});

test('a node that is voted out is authorized no more, once L1 has the block, drains, and is ejected at once for harm', async () => {
  await sequencer.eject(peerId, 7);
  assert.equal((await sequencer.rollup.announced.holder(peerId))?.status, 'draining');
  await eventually('the sequencer to know', async () => !(await sequencer.rollup.registry.isAuthorized(peerId)));
  await eventually('the follower to know', async () => !(await node.rollup.registry.isAuthorized(peerId)));
  assert.deepEqual(await node.rollup.registry.members(), []);
  assert.equal((await node.rollup.registry.holder(peerId))?.status, 'draining');
  await sequencer.eject(peerId, 1);
  await eventually('active harm to end it', async () => {
    const holder = await node.rollup.registry.holder(peerId);
    return holder?.status === 'ejected';
  });
  assert.equal(await node.rollup.registry.isAuthorized('not a peer id' as never), false);
});
