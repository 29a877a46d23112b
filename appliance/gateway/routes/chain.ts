import type { Static } from 'typebox';
import { sendDownload } from '../download.ts';
import { downloadLimits } from '../download-limits.ts';
import { evidenced } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { ChainRewind, ChainRewound } from '../node-schemas.ts';
import { describeOperation } from '../openapi.ts';
import { Binary } from '../schema-parts.ts';
import { StakeStatus, StakeWish } from '../stake-schemas.ts';
import {
  WithdrawalClaimed,
  WithdrawalId,
  WithdrawalList,
  WithdrawalRequest,
  WithdrawalSent,
} from '../withdrawal-schemas.ts';

const rewind = describeOperation({
  id: 'rewindChain',
  tag: 'network',
  summary: 'Give up L2 blocks that L1 has not confirmed',
  description:
    'For an unsafe chain that misleads. Blocks that L1 has are not touched; those that come again are judged anew.',
  guard: { scope: 'admin' },
  body: ChainRewind,
  response: { 200: ChainRewound },
});
const withdraw = describeOperation({
  id: 'withdraw',
  tag: 'network',
  summary: "Send ETH of the operator's account from L2 to an account on L1",
  description: 'L1 pays it when it is claimed, after an assertion that holds it was confirmed.',
  guard: { scope: 'admin' },
  body: WithdrawalRequest,
  response: { 200: WithdrawalSent },
});
const withdrawals = describeOperation({
  id: 'listWithdrawals',
  tag: 'network',
  summary: "Withdrawals of the operator's account, and how far each is",
  guard: { scope: 'node:read' },
  response: { 200: WithdrawalList },
});
const claim = describeOperation({
  id: 'claimWithdrawal',
  tag: 'network',
  summary: "Execute a withdrawal on L1; the operator's account there pays the gas",
  guard: { scope: 'admin' },
  params: WithdrawalId,
  response: { 200: WithdrawalClaimed },
});
const stakeStatus = describeOperation({
  id: 'getStake',
  tag: 'network',
  summary: 'The stake by which this node asserts L2 on L1',
  guard: { scope: 'node:read' },
  response: { 200: StakeStatus },
});
const setStaking = describeOperation({
  id: 'setStaking',
  tag: 'network',
  summary: 'Have this node stake, or take its stake back and stake no more',
  description:
    'It is kept over restarts. A stake comes back once L1 has confirmed the assertion under it; until then the node plays its challenges.',
  guard: { scope: 'admin' },
  body: StakeWish,
  response: { 200: StakeStatus },
});

const snapshot = describeOperation({
  id: 'takeChainSnapshot',
  tag: 'network',
  summary: 'The state of L2 at the latest confirmed assertion, for a node that begins',
  description:
    'Public data; whoever begins with it holds all of it against their own L1. It reads the whole state: one at a time.',
  guard: { scope: 'admin' },
  response: { 200: Binary('The snapshot; docs/design/0020-validator.md.', 'application/octet-stream') },
});

/** The first part is asked for at once: what stands in the way is an answer, and no broken download. */
async function begun(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const parts = source[Symbol.asyncIterator]();
  const first = await parts.next();
  return (async function* () {
    try {
      for (let part = first; part.done !== true; part = await parts.next()) yield part.value;
    } finally {
      await parts.return?.();
    }
  })();
}

export function addChainRoutes(server: GatewayServer, context: RouteContext): void {
  const {
    deps: { rollup },
    exclusive,
  } = context;

  server.post('/v1/chain/rewind', rewind, (request) =>
    exclusive.run('chain rewind', async () => {
      const event = { type: 'chain.rewind', context: request.access } as const;
      const run = async (note: (facts: Record<string, number>) => void): Promise<ChainRewound> => {
        const { from, to } = await rollup.rewind(request.body as ChainRewind);
        note({ from, to });
        return { from, to };
      };
      return (await evidenced(context, event, { run })).result;
    }),
  );

  server.get('/v1/chain/snapshot', snapshot, async (request, reply) => {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="nectar.snapshot"',
    };
    await exclusive.run('chain snapshot', async () => {
      const body = await begun(rollup.snapshot());
      await sendDownload(reply, { status: 200, headers, body }, downloadLimits(request, context));
    });
    return reply;
  });

  server.post('/v1/chain/withdrawals', withdraw, (request) =>
    exclusive.run('chain withdraw', async () => {
      const { to, amountWei } = request.body as WithdrawalRequest;
      const event = { type: 'chain.withdraw', context: request.access, detail: { to, amountWei } } as const;
      return (await evidenced(context, event, { run: () => rollup.withdraw({ to, amountWei }), announced: true }))
        .result;
    }),
  );

  server.get('/v1/chain/stake', stakeStatus, () => rollup.stakeStatus());

  server.put('/v1/chain/stake', setStaking, (request) =>
    exclusive.run('chain stake', async () => {
      const { wanted } = request.body as StakeWish;
      const event = {
        type: 'chain.stake',
        context: request.access,
        detail: { wanted: wanted ? 'yes' : 'no' },
      } as const;
      const run = async (note: (facts: Record<string, string>) => void): Promise<StakeStatus> => {
        const shown = await rollup.setStaking({ wanted });
        note({ account: shown.account, state: shown.state });
        return shown;
      };
      return (await evidenced(context, event, { run })).result;
    }),
  );

  server.get('/v1/chain/withdrawals', withdrawals, async () => ({ withdrawals: [...(await rollup.withdrawals())] }));

  server.post('/v1/chain/withdrawals/:id/claim', claim, (request) =>
    exclusive.run('chain claim', async () => {
      const { id } = request.params as Static<typeof WithdrawalId>;
      const event = { type: 'chain.claim', context: request.access, detail: { id } } as const;
      await evidenced(context, event, { run: () => rollup.claim({ id }) });
      return { id, state: 'claimed' as const };
    }),
  );
}
