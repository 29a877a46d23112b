import type { Anchor } from '../../anchor/index.ts';
import type { Membership } from '../../membership/index.ts';
import type { P2p } from '../../p2p/index.ts';
import type { Rollup } from '../../rollup/index.ts';
import type { Service } from '../../service.ts';
import { type Route, unaryRoute } from '../route.ts';
import { describeServices, known } from '../state.ts';
import { anchors, join, network, peers, rpc, state } from './contract.ts';

export interface RollupCrossingParts {
  readonly rollup: Pick<Rollup, 'rpc' | 'heads'>;
  readonly p2p: Pick<P2p, 'peers' | 'addresses'>;
  readonly anchor: Pick<Anchor, 'anchored' | 'auditAnchors'>;
  readonly membership: Membership;
  /** What this role consists of, for its state. */
  readonly services: readonly Service[];
}

/** What the gateway may ask of the rollup role. */
export function rollupRoutes({ rollup, p2p, anchor, membership, services }: RollupCrossingParts): Route[] {
  return [
    unaryRoute(state, () => ({
      services: describeServices(services),
      heads: known(() => numbersOf(rollup.heads())),
      peers: known(() => p2p.peers().length),
      anchored: known(() => anchor.anchored()),
    })),
    unaryRoute(rpc, async ({ body }) => {
      const answer = await rollup.rpc(body);
      return answer === undefined ? {} : { answer };
    }),
    unaryRoute(peers, () => p2p.peers()),
    unaryRoute(network, async () => ({ addresses: p2p.addresses(), membership: await membership.status() })),
    unaryRoute(join, () => membership.join()),
    unaryRoute(anchors, () => anchor.auditAnchors()),
  ];
}

function numbersOf({ unsafe, safe, finalized }: ReturnType<Rollup['heads']>) {
  return { unsafe: Number(unsafe.number), safe: Number(safe.number), finalized: Number(finalized.number) };
}
