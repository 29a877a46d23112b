import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GatewayDependencies } from '../../appliance/gateway/index.ts';
import type { AuditorDesk } from '../../appliance/membership/index.ts';
import type { Rollup, SubscriptionItem } from '../../appliance/rollup/index.ts';
import type { Hex, PeerIdText } from '../../protocol/brand.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../protocol/errors.ts';
import {
  assertions,
  DECISIONS,
  type Decision,
  DUE,
  HASH,
  l1,
  NO_STAKE,
  PEER,
  ROOT,
  SNAPSHOT,
  STAKE,
  WITHDRAWAL,
} from './rollup-answers.ts';

/** The rollup role as the gateway calls it. */
export interface RollupUnderTest {
  readonly rpc: GatewayDependencies['rollup']['rpc'];
  readonly subscribe: GatewayDependencies['rollup']['subscribe'];
  readonly peers: GatewayDependencies['p2p']['peers'];
  readonly anchors: GatewayDependencies['anchor']['anchors'];
  readonly network: () => Promise<{ addresses: readonly string[]; membership: string; problem?: string }>;
  readonly rewind: GatewayDependencies['rollup']['rewind'];
  readonly withdraw: GatewayDependencies['rollup']['withdraw'];
  readonly withdrawals: GatewayDependencies['rollup']['withdrawals'];
  readonly stakeStatus: GatewayDependencies['rollup']['stakeStatus'];
  readonly setStaking: GatewayDependencies['rollup']['setStaking'];
  readonly snapshot: GatewayDependencies['rollup']['snapshot'];
  readonly claim: GatewayDependencies['rollup']['claim'];
  readonly l1: () => Promise<ReturnType<Rollup['l1']> | null>;
  readonly join: () => Promise<{ membership: string; transaction?: string }>;
  readonly leave: () => Promise<{ membership: string; transaction: string }>;
  readonly appeal: (of: { evidence: string }) => Promise<{ membership: string; transaction: string }>;
  readonly auditorQueue: AuditorDesk['queue'];
  readonly auditorDecide: AuditorDesk['decide'];
  close(): Promise<void>;
}

const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));

/** The role's services in small: what they answer is fixed, what crosses is what the suite is about. */
export function createRollupDouble() {
  const state = { started: true, counted: 0, noSnapshot: false, caller: '' as string | undefined };
  const started = <T>(value: T): T => {
    if (!state.started) throw new NectarError('NODE_NOT_READY', { service: 'rollup', reason: 'not started' });
    return value;
  };
  const block = { number: 7n, hash: `0x${'00'.repeat(32)}` as Hex, timestamp: 1n };
  const peer = {
    peerId: PEER,
    address: '/ip4/192.0.2.1/tcp/4001',
    direction: 'inbound' as const,
    since: '2026-11-23T00:00:00.000Z',
  };
  return {
    state,
    rollup: {
      /** Answers with what it was asked; a notification has no answer. */
      rpc: async (body: unknown, caller?: string): Promise<unknown> => {
        state.caller = caller;
        const { id } = (body ?? {}) as { id?: unknown };
        return Array.isArray(body) || id !== undefined ? { jsonrpc: '2.0', id: id ?? null, result: body } : undefined;
      },
      /** Says what it was asked, then counts until it is left. */
      async *subscribe(params: unknown, caller: string, signal: AbortSignal): AsyncGenerator<SubscriptionItem> {
        started(undefined);
        if (params === 'refused') return yield { kind: 'refused', code: -32602, message: 'no such subscription' };
        yield { kind: 'opened' };
        yield { kind: 'event', result: { params, caller } };
        for (let n = 1; n <= 1_000; n++) {
          if (signal.aborted) return;
          state.counted = n;
          yield { kind: 'event', result: n };
        }
        yield { kind: 'ended', reason: 'enough' };
      },
      heads: () => started({ unsafe: block, safe: block, finalized: block }),
      assertions: () => started(assertions),
      l1: () => started(l1),
      withdraw: async ({ amountWei }: { to: string; amountWei: string }) => {
        if (amountWei === '9') throw new NectarError('ROLLUP_ACCOUNT_FUNDS', { address: HASH });
        return started({ transaction: HASH });
      },
      withdrawals: async () => started([WITHDRAWAL]),
      claim: async ({ id }: { id: number }) => {
        if (id === 9) throw new NectarError('ROLLUP_WITHDRAWAL_NOT_CLAIMABLE', { id, state: 'batched' });
      },
      stakeStatus: async () => started(STAKE),
      setStaking: async ({ wanted }: { wanted: boolean }) => {
        if (wanted) throw new NectarError('ROLLUP_STAKE_FUNDS', { account: HASH, hasWei: 10n ** 30n, requiredWei: 1n });
        return started(NO_STAKE);
      },
      async *snapshot(): AsyncGenerator<Uint8Array> {
        started(undefined);
        if (state.noSnapshot) throw new NectarError('ROLLUP_SNAPSHOT_UNAVAILABLE', { reason: 'nothing is confirmed' });
        for (const part of SNAPSHOT) yield part;
      },
      rewind: async (to?: bigint) => {
        if (to === 9n) throw new NectarError('ROLLUP_REWIND_REFUSED', { to, safe: 7n, unsafe: 8n });
        return started({ from: 8, to: Number(to ?? 7n) });
      },
    },
    p2p: { peers: () => started([peer]), addresses: () => started(['/ip4/192.0.2.9/tcp/4001']) },
    anchor: {
      anchored: async () => started({ auditSize: 2, auditRoot: ROOT, safeBlock: '7', pending: 0 }),
      auditAnchors: async () => started([{ size: 2, root: ROOT, where: 'AuditAnchor, L2 block 7', at: 7_000 }]),
    },
    witness: {
      splitLogs: () => [peer.peerId as PeerIdText],
      recalled: () => ({ epoch: 2, answered: 1, silent: 2, newest: 9 }),
    },
    membership: {
      standing: async () => started({ status: 'active', validUntil: '2027-01-01T00:00:00.000Z' }),
      problem: async () => started('registered for another account'),
      join: async () => started({ membership: 'applied', transaction: `0x${'cd'.repeat(32)}` }),
      leave: async () => started({ membership: 'active', transaction: `0x${'ce'.repeat(32)}` }),
      appeal: async ({ evidence }: { evidence: string }) => started({ membership: 'draining', transaction: evidence }),
    },
    auditor: {
      queue: async () => started({ account: `0x${'aa'.repeat(20)}`, isAuditor: true, due: [DUE] }),
      decide: async (decision: Decision) =>
        started({ nodeId: decision.evidence, transaction: decision.evidence, isIncluded: true }),
    },
  };
}

export function rollupCompliance(
  name: string,
  create: (double: ReturnType<typeof createRollupDouble>) => Promise<RollupUnderTest>,
): void {
  describe(`rollup compliance: ${name}`, () => {
    const double = createRollupDouble();
    let under: RollupUnderTest;
    before(async () => {
      under = await create(double);
    });
    after(() => under.close());

    it('carries JSON-RPC as it is, batches and what looks like our own tags among it', async () => {
      const bodies = [
        { jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: `0x${'11'.repeat(20)}` }, 'latest'] },
        {
          id: 'x',
          params: [{ $bytes: 'AAAA' }, { $bigint: '12' }, { $$bytes: 1 }, { $: null }, { $bytes: { $bigint: [] } }],
        },
        { id: null, params: ['\ud800 \u0000 \u{1f9d1}', 1e300, -0.5, [], {}, [null]] },
        { id: 2, params: ['x'.repeat(500_000)] },
      ];
      for (const body of bodies) {
        // Over JSON text at the gateway already: what JSON cannot say never reaches us.
        const sent = JSON.parse(JSON.stringify(body)) as { id: unknown };
        assert.deepEqual(await under.rpc(sent), { jsonrpc: '2.0', id: sent.id, result: sent });
      }
      assert.deepEqual(await under.rpc(bodies.slice(0, 2)), { jsonrpc: '2.0', id: null, result: bodies.slice(0, 2) });
      assert.equal(await under.rpc({ jsonrpc: '2.0', method: 'notify' }), undefined);
    });

    it('says who calls', async () => {
      await under.rpc({ jsonrpc: '2.0', id: 1 }, 'token-1', new AbortController().signal);
      assert.equal(double.state.caller, 'token-1');
      await under.rpc({ jsonrpc: '2.0', id: 1 });
      assert.equal(double.state.caller, undefined);
    });

    it('carries subscriptions: refused, or opened and then in order until they end', async () => {
      const all = async (params: unknown) => {
        const items: SubscriptionItem[] = [];
        for await (const item of under.subscribe(params, 'token-1', new AbortController().signal))
          items.push(item as SubscriptionItem);
        return items;
      };
      assert.deepEqual(await all('refused'), [{ kind: 'refused', code: -32602, message: 'no such subscription' }]);
      const [opened, first, ...rest] = await all(['logs', { topics: [null] }]);
      assert.deepEqual(opened, { kind: 'opened' });
      assert.deepEqual(first, { kind: 'event', result: { params: ['logs', { topics: [null] }], caller: 'token-1' } });
      assert.deepEqual(rest.at(-1), { kind: 'ended', reason: 'enough' });
      assert.deepEqual(
        rest.slice(0, -1).map((item) => 'result' in item && item.result),
        Array.from({ length: 1_000 }, (_, n) => n + 1),
      );
    });

    it('ends a subscription when its reader leaves', async () => {
      const leaving = new AbortController();
      const taken: unknown[] = [];
      try {
        for await (const item of under.subscribe(['newHeads'], 'token-1', leaving.signal)) {
          taken.push(item);
          if (taken.length === 3) leaving.abort(new Error('left'));
        }
      } catch (error) {
        assert.equal((error as Error).message, 'left');
      }
      assert.ok(taken.length < 1_000);
    });

    it('tells peers, network, anchors and joins', async () => {
      assert.deepEqual(await under.peers(), double.p2p.peers());
      assert.deepEqual(await under.network(), {
        addresses: ['/ip4/192.0.2.9/tcp/4001'],
        membership: 'active',
        standing: { status: 'active', validUntil: '2027-01-01T00:00:00.000Z' },
        problem: 'registered for another account',
      });
      assert.deepEqual(await under.anchors(), await double.anchor.auditAnchors());
      const evidence = `0x${'5d'.repeat(32)}`;
      assert.deepEqual(await under.appeal({ evidence }), { membership: 'draining', transaction: evidence });
      assert.deepEqual((await under.auditorQueue()).due, [DUE]);
      for (const decision of DECISIONS)
        assert.deepEqual(await under.auditorDecide({ ...decision, evidence }), {
          ...{ nodeId: evidence, transaction: evidence, isIncluded: true },
        });
      assert.deepEqual(await under.leave(), { membership: 'active', transaction: `0x${'ce'.repeat(32)}` });
      assert.deepEqual(await under.join(), { membership: 'applied', transaction: `0x${'cd'.repeat(32)}` });
    });

    it('tells how L1 is read, and what is in the way', async () => {
      assert.deepEqual(await under.l1(), l1);
    });

    it('rewinds the unsafe chain, and says why it does not', async () => {
      assert.deepEqual(await under.rewind({}), { from: 8, to: 7 });
      assert.deepEqual(await under.rewind({ to: 8 }), { from: 8, to: 8 });
      await assert.rejects(under.rewind({ to: 9 }), (error) => {
        assert.ok(isNectarError(error, 'ROLLUP_REWIND_REFUSED'));
        assert.deepEqual(error.data, { to: 9n, safe: 7n, unsafe: 8n });
        return true;
      });
    });

    it('gives a snapshot part by part, or says why there is none', async () => {
      const parts: Uint8Array[] = [];
      for await (const part of under.snapshot()) parts.push(new Uint8Array(part));
      assert.deepEqual(Buffer.concat(parts), Buffer.concat(SNAPSHOT));
      double.state.noSnapshot = true;
      const take = async (): Promise<void> => {
        for await (const _ of under.snapshot()) assert.fail('a part of nothing');
      };
      await assert.rejects(take(), hasCode('ROLLUP_SNAPSHOT_UNAVAILABLE'));
      double.state.noSnapshot = false;
    });

    it('withdraws, lists and claims, and says why it does not', async () => {
      const to = WITHDRAWAL.to;
      assert.deepEqual(await under.withdraw({ to, amountWei: '1' }), { transaction: HASH });
      await assert.rejects(under.withdraw({ to, amountWei: '9' }), hasCode('ROLLUP_ACCOUNT_FUNDS'));
      assert.deepEqual(await under.withdrawals(), [WITHDRAWAL]);
      await under.claim({ id: 4 });
      await assert.rejects(under.claim({ id: 9 }), (error) => {
        assert.ok(isNectarError(error, 'ROLLUP_WITHDRAWAL_NOT_CLAIMABLE'));
        assert.deepEqual(error.data, { id: 9, state: 'batched' });
        return true;
      });
    });

    it('says what its stake is, takes it back, and says why it does not stake', async () => {
      assert.deepEqual(await under.stakeStatus(), STAKE);
      assert.deepEqual(await under.setStaking({ wanted: false }), NO_STAKE);
      await assert.rejects(under.setStaking({ wanted: true }), (error) => {
        assert.ok(isNectarError(error, 'ROLLUP_STAKE_FUNDS'));
        assert.deepEqual(error.data, { account: HASH, hasWei: 10n ** 30n, requiredWei: 1n });
        return true;
      });
    });

    it('says that it is not ready', async () => {
      double.state.started = false;
      await assert.rejects(async () => under.peers(), hasCode('NODE_NOT_READY'));
      await assert.rejects(under.anchors(), hasCode('NODE_NOT_READY'));
      await assert.rejects(under.join(), hasCode('NODE_NOT_READY'));
      double.state.started = true;
    });
  });
}
