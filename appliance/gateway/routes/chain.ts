import type { Static } from 'typebox';
import { evidenced } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { ChainRewind, ChainRewound } from '../node-schemas.ts';
import { describeOperation } from '../openapi.ts';
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

  server.post('/v1/chain/withdrawals', withdraw, (request) =>
    exclusive.run('chain withdraw', async () => {
      const { to, amountWei } = request.body as WithdrawalRequest;
      const event = { type: 'chain.withdraw', context: request.access, detail: { to, amountWei } } as const;
      return (await evidenced(context, event, { run: () => rollup.withdraw({ to, amountWei }), announced: true }))
        .result;
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
