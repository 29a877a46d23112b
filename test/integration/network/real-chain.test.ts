import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hexlify, Interface, parseEther, ZeroHash } from 'ethers';
import { type Anchor, createAnchor, ethCall } from '../../../appliance/anchor/index.ts';
import { createP2p, type P2p, peerIdOfSeed } from '../../../appliance/p2p/index.ts';
import type { Rollup } from '../../../appliance/rollup/index.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import { NodeRegistryAbi } from '../../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { encodePeerId } from '../../../protocol/network/node-identity.ts';
import { signNodeStatement } from '../../../protocol/network/node-statement.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { AuditDouble, RecordsDouble } from '../../unit/appliance/anchor/chain-double.ts';
import { TEST_OPTIONS } from '../../unit/appliance/p2p/hosts.ts';
import {
  createTestNetwork,
  eventually,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from '../rollup/test-network.ts';

/** p2p and anchor on the real rollup: anvil, the contracts, a sequencer node, and a clinic that joins. */
const registry = new Interface([...NodeRegistryAbi]);
const log = createLogger({ level: (process.env.NECTAR_TEST_LOG ?? 'silent') as 'silent' });
const records = new RecordsDouble();
const audit = new AuditDouble();
let network: TestNetwork;
let sequencer: SequencerNode;
let clinic: RunningNode;
let bootstrap: P2p;
let p2p: P2p;
let anchor: Anchor;
let peerId: PeerIdText;

function seedOf(name: string): Uint8Array {
  return createHash('sha256').update(name).digest();
}

async function startP2p(name: string, rollup: Rollup, addresses: readonly string[]): Promise<P2p> {
  const options = { ...TEST_OPTIONS, bootstrap: addresses, dialIntervalMs: 200 };
  const service = createP2p(options, {
    identitySeed: async () => seedOf(name),
    registry: rollup.registry,
    unsafe: {
      accept: rollup.acceptUnsafe,
      range: rollup.unsafeRange,
      onUnsafe: rollup.onUnsafe,
      head: () => rollup.heads().unsafe.number,
    },
    onHead: rollup.onHead,
    log,
    metrics: createMetrics(),
    now: Date.now,
  });
  await service.start(new AbortController().signal);
  return service;
}

function startAnchor(rollup: Rollup): Anchor {
  return createAnchor(
    { intervalMs: 100, pollMs: 100, resendAfterMs: 5_000, maxRecords: 10, folder: join(network.folder, 'anchor') },
    {
      records,
      audit,
      chain: {
        ...rollup.account,
        call: ethCall(rollup.rpc),
        safeBlock: () => rollup.heads().safe.number,
        isCurrent: () => true,
      },
      isAuthorized: rollup.registry.isAuthorized,
      isAnnounced: rollup.announced.isAuthorized,
      peerId: () => peerId,
      log,
      metrics: createMetrics(),
      now: Date.now,
    },
  );
}

before(async () => {
  network = await createTestNetwork();
  sequencer = await network.startSequencer();
  clinic = await network.startFollower('clinic');
  peerId = await peerIdOfSeed(seedOf('clinic'));
  bootstrap = await startP2p('bootstrap', sequencer.rollup, []);
  p2p = await startP2p('clinic', clinic.rollup, bootstrap.addresses());
  anchor = startAnchor(clinic.rollup);
  await anchor.start(new AbortController().signal);
});

after(async () => {
  await anchor?.stop();
  await p2p?.stop();
  await bootstrap?.stop();
  await network?.stop();
});

test('before it joins, the node neither dials nor anchors, and says what it waits for', async () => {
  records.add(2);
  audit.size = 3;
  await eventually('a reason to wait', async () =>
    /not an authorized member/.test((await anchor.anchored()).waiting ?? ''),
  );
  assert.equal(p2p.isMember(), false);
  assert.deepEqual(bootstrap.peers(), []);
});

test('once attested it is admitted by the registry and hears the sequencer by gossip', async () => {
  await depositEth(
    { rpcUrl: network.l1.rpcUrl, key: network.l1.accounts.faucet.key },
    { inbox: network.descriptor.l1.inbox, to: clinic.rollup.account.address(), amountWei: parseEther('1') },
  );
  await eventually('the deposit', async () => (await clinic.rollup.account.balance()) > 0n);
  const operator = clinic.rollup.account.address();
  const application = {
    peerId: hexlify(encodePeerId(peerId)),
    addresses: p2p.addresses(),
    kind: 1,
    operator,
    evidence: ZeroHash,
    statement: signNodeStatement({ l2ChainId: 6_328_270n, owner: operator, operator }, seedOf('clinic')),
  };
  const data = registry.encodeFunctionData('submitApplication', [application]) as Hex;
  await clinic.rollup.account.send({ to: PREDEPLOYS.nodeRegistry, data, valueWei: parseEther('0.01') });
  await eventually('the connection', () => bootstrap.peers().some((peer) => peer.peerId === peerId));
  assert.equal(p2p.isMember(), true);
});

test('its records and its audit checkpoint are anchored and followed to L1', async () => {
  await eventually(
    'both anchors safe',
    async () => records.marked.size === 2 && (await anchor.anchored()).auditSize === 3,
  );
  const { root } = audit.treeHead();
  const anchored = await anchor.anchored();
  assert.equal(anchored.auditRoot, root);
  assert.ok(BigInt(anchored.safeBlock ?? -1) <= clinic.rollup.heads().safe.number);
  assert.deepEqual(
    (await anchor.auditAnchors()).map(({ size, root: each }) => ({ size, root: each })),
    [{ size: 3, root }],
  );
  assert.equal(records.waiting.size, 0);
  assert.equal(anchored.waiting, undefined);
});

test('unsafe blocks come before their batch is on L1', async () => {
  let sawUnsafeAhead = false;
  const stop = clinic.rollup.onHead(({ unsafe, safe }) => {
    sawUnsafeAhead ||= unsafe.number > safe.number;
  });
  audit.size = 4;
  await eventually('the next checkpoint', async () => (await anchor.anchored()).auditSize === 4);
  stop();
  assert.ok(sawUnsafeAhead);
});

test('ejected, it is dropped once L1 has the block, and stays out', async () => {
  await sequencer.eject(peerId, 1);
  await eventually('the drop', () => bootstrap.peers().length === 0);
  await eventually('its own state to say so', async () => !(await clinic.rollup.registry.isAuthorized(peerId)));
  audit.size = 5;
  await eventually('anchoring to wait', async () =>
    /not an authorized member/.test((await anchor.anchored()).waiting ?? ''),
  );
  assert.deepEqual(bootstrap.peers(), []);
});
