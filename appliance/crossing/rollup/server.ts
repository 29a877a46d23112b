import type { Anchor } from '../../anchor/index.ts';
import type { AuditorDesk, Membership } from '../../membership/index.ts';
import type { P2p } from '../../p2p/index.ts';
import type { Rollup, StakeControl } from '../../rollup/index.ts';
import type { Service } from '../../service.ts';
import type { Witness } from '../../witness/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { describeServices, known } from '../state.ts';
import { rollup } from './contract.ts';

export interface RollupCrossingParts {
  readonly rollup: Pick<
    Rollup,
    | (
        | 'rpc'
        | 'subscribe'
        | 'heads'
        | 'rewind'
        | 'assertions'
        | 'l1'
        | 'withdraw'
        | 'withdrawals'
        | 'claim'
        | 'snapshot'
      )
    | keyof StakeControl
  >;
  readonly p2p: Pick<P2p, 'peers' | 'addresses'>;
  readonly anchor: Pick<Anchor, 'anchored' | 'auditAnchors'>;
  readonly witness: Pick<Witness, 'splitLogs' | 'recalled'>;
  readonly membership: Pick<Membership, 'standing' | 'problem' | 'join' | 'leave' | 'appeal'>;
  readonly auditor: AuditorDesk;
  /** What this role consists of, for its state. */
  readonly services: readonly Service[];
}

export function rollupRoutes(parts: RollupCrossingParts): Route[] {
  const { p2p, anchor, membership, services } = parts;
  return routesOf(rollup, {
    state: async () => ({
      services: describeServices(services),
      heads: known(() => numbersOf(parts.rollup.heads())),
      peers: known(() => p2p.peers().length),
      membership: await membership.standing().catch(() => null),
      anchored: await anchor.anchored().catch(() => null),
      assertions: known(() => parts.rollup.assertions()),
      l1: known(() => parts.rollup.l1()),
      splitLogs: [...parts.witness.splitLogs()],
      recalled: parts.witness.recalled(),
    }),
    async rpc(body, caller, signal) {
      const answer = await parts.rollup.rpc(body, caller, signal);
      return answer === undefined ? {} : { answer };
    },
    subscribe: (params, caller, signal) => parts.rollup.subscribe(params, caller, signal),
    peers: () => p2p.peers(),
    network: async () => {
      const problem = await membership.problem();
      const standing = await membership.standing();
      const state = { addresses: p2p.addresses(), membership: standing.status, standing };
      return problem === undefined ? state : { ...state, problem };
    },
    join: () => membership.join(),
    leave: () => membership.leave(),
    appeal: (of) => membership.appeal(of),
    auditorQueue: async () => {
      const { due, ...rest } = await parts.auditor.queue();
      return { ...rest, due: [...due] };
    },
    auditorDecide: (decision) => parts.auditor.decide(decision),
    withdraw: (what) => parts.rollup.withdraw(what),
    withdrawals: () => parts.rollup.withdrawals(),
    claim: async (which) => {
      await parts.rollup.claim(which);
      return null as never;
    },
    stakeStatus: () => parts.rollup.stakeStatus(),
    setStaking: (wish) => parts.rollup.setStaking(wish),
    snapshot: () => parts.rollup.snapshot(),
    rewind: ({ to }) => parts.rollup.rewind(to === undefined ? undefined : BigInt(to)),
    anchors: () => anchor.auditAnchors(),
  });
}

function numbersOf({ unsafe, safe, finalized }: ReturnType<Rollup['heads']>) {
  return { unsafe: Number(unsafe.number), safe: Number(safe.number), finalized: Number(finalized.number) };
}
