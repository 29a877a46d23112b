import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexlify, ZeroHash } from 'ethers';
import { createNodeRegistry, NODE_REGISTRY } from '../../../../../appliance/rollup/registry/node-registry.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { encodePeerId, peerIdOf } from '../../../../../protocol/network/node-identity.ts';
import { signNodeStatement } from '../../../../../protocol/network/node-statement.ts';

const L2_CHAIN_ID = 7n;
const ACTIVE = 2;
const OWNER: Hex = `0x${'a1'.repeat(20)}`;

function nodeOf(n: number) {
  const seed = Uint8Array.from(createHash('sha256').update(`node ${n}`).digest());
  return {
    peerId: hexlify(encodePeerId(peerIdOf(ed25519.getPublicKey(seed)))),
    addresses: [`/ip4/10.0.0.${n}/tcp/4640`],
    ...{ owner: OWNER, operator: OWNER, kind: 1, status: ACTIVE, auditor: OWNER },
    ...{ appliedAt: 0, attestedAt: 0, validUntil: 2_000_000_000, ejectedAt: 0, appealedAt: 0 },
    ...{ depositWei: 0, evidence: ZeroHash, attestation: ZeroHash },
    statement: signNodeStatement({ l2ChainId: L2_CHAIN_ID, owner: OWNER, operator: OWNER }, seed),
  };
}

test('an entry that changes is parsed again, and the others are what they were', async () => {
  const nodes = Array.from({ length: 120 }, (_, n) => nodeOf(n));
  let root = 1;
  let calls = 0;
  const hex = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`;
  const registry = createNodeRegistry(
    { l2ChainId: L2_CHAIN_ID },
    {
      head: () => ({ hash: hex(root), timestamp: 1_000n }),
      storageRoot: async () => hex(root),
      async call(_to, data) {
        calls += 1;
        const called = NODE_REGISTRY.parseTransaction({ data });
        assert.ok(called !== null);
        if (called.name === 'memberCount')
          return NODE_REGISTRY.encodeFunctionResult('memberCount', [nodes.length]) as Hex;
        const [offset = 0, limit = 0] = called.args.map(Number);
        return NODE_REGISTRY.encodeFunctionResult(called.name, [nodes.slice(offset, offset + limit)]) as Hex;
      },
    },
  );
  const before = await registry.members();
  assert.equal(before.length, 120);
  const changed = nodes[60] ?? assert.fail();
  changed.addresses = ['/ip4/10.0.0.60/tcp/5000'];
  root += 1;
  const after = await registry.members();
  assert.deepEqual(after[60]?.addresses, ['/ip4/10.0.0.60/tcp/5000']);
  // The very objects: nothing else was parsed again, of its own page neither.
  for (const [at, node] of after.entries()) assert.equal(node === before[at], at !== 60);

  // Another statement is another matter, also for an entry that was good before.
  changed.statement = signNodeStatement({ l2ChainId: 8n, owner: OWNER, operator: OWNER }, new Uint8Array(32).fill(1));
  root += 1;
  assert.equal((await registry.members()).length, 119);

  // The list at hand says who is a member, and who is none.
  const asked = calls;
  assert.equal(await registry.isAuthorized(before[3]?.peerId ?? assert.fail()), true);
  assert.equal(await registry.isAuthorized(before[60]?.peerId ?? assert.fail()), false);
  assert.equal(await registry.isAuthorized(peerIdOf(new Uint8Array(32).fill(9))), false);
  assert.equal(calls, asked);
});
