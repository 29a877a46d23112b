import type { PeerIdText } from '../../protocol/brand.ts';
import { isPeerId } from '../../protocol/network/node-identity.ts';
import type { Logger } from '../telemetry/index.ts';
import type { P2pMetrics, RefusalReason } from './metrics.ts';
import type { Registry } from './needs.ts';

/** Answers kept between two heads: whoever makes up peer ids gets one registry call each, and no memory. */
const MAX_REMEMBERED = 1024;

/** At most one refusal in this time stands in the log above debug. */
const MIN_LOG_INTERVAL_MS = 10_000;

export type Standing = 'admitted' | RefusalReason;

export interface Admission {
  /** Whether the peer may be connected (authorized by the registry, named in the descriptor, or an owner of blocks here), and if not, why. */
  standing(peerId: string): Promise<Standing>;
  /** True when the standing is `admitted`. Fails closed. */
  isAdmitted(peerId: string): Promise<boolean>;
  /** Whether the registry authorizes the peer; the descriptor's bootstrap peers alone are no members. Fails closed. */
  isMember(peerId: PeerIdText): Promise<boolean>;
  /** isAdmitted for the connection gater: a refusal is counted and logged. */
  refuses(peerId: string, direction: 'inbound' | 'outbound'): Promise<boolean>;
  /**
   * Lets this node dial a peer that is no member, until the function returned is called: one that our own index names as a holder,
   * for blocks whose hash says whether they are right. Nobody comes in by it.
   */
  lend(peerId: PeerIdText): () => void;
  /** Whether such a loan is open. */
  isLent(peerId: string): boolean;
  /** To be called on every L2 head: what the registry said before no longer counts. */
  forget(): void;
}

export interface AdmissionDeps {
  readonly registry: Registry;
  /** Whether this node holds blocks of the peer: it may read and release them after it left, or while it drains. */
  readonly owes?: (peerId: PeerIdText) => Promise<boolean>;
  readonly log: Logger;
  readonly metrics: P2pMetrics;
  readonly now: () => number;
}

/**
 * Admission by NodeRegistry, read from the node's own derived state. The peer id is the one that the noise handshake
 * proved. Adversary: an unregistered or ejected node, and a member that vouches for one; no peer's word counts here.
 */
export function createAdmission(bootstrap: ReadonlySet<string>, deps: AdmissionDeps): Admission {
  const remembered = new Map<PeerIdText, Promise<boolean>>();
  const isNewsworthy = createNewsworthy(deps.now);
  const loans = new Map<string, number>();

  async function standing(peerId: string): Promise<Standing> {
    if (bootstrap.has(peerId)) return 'admitted';
    if (!isPeerId(peerId)) return 'identity';
    try {
      if (await ask(peerId)) return 'admitted';
      return (await mayFetch(peerId)) ? 'admitted' : 'not-authorized';
    } catch (error) {
      deps.log.debug({ peerId, err: error }, 'the registry did not answer about a peer');
      return 'registry-unavailable';
    }
  }

  /** Who left, lapsed, is suspended or drains fetches what is its own; who is ejected had its time, or did active harm. */
  async function mayFetch(peerId: PeerIdText): Promise<boolean> {
    if ((await deps.owes?.(peerId)) !== true) return false;
    return (await deps.registry.holder(peerId))?.status !== 'ejected';
  }

  function ask(peerId: PeerIdText): Promise<boolean> {
    const known = remembered.get(peerId);
    if (known !== undefined) return known;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    const answer = deps.registry.isAuthorized(peerId);
    remembered.set(peerId, answer);
    answer.catch(() => remembered.delete(peerId));
    return answer;
  }

  return {
    standing,
    async isAdmitted(peerId) {
      return (await standing(peerId)) === 'admitted';
    },
    async isMember(peerId) {
      return await ask(peerId).catch(() => false);
    },
    lend(peerId) {
      loans.set(peerId, (loans.get(peerId) ?? 0) + 1);
      return () => {
        const left = (loans.get(peerId) ?? 1) - 1;
        if (left > 0) loans.set(peerId, left);
        else loans.delete(peerId);
      };
    },
    isLent: (peerId) => loans.has(peerId),
    async refuses(peerId, direction) {
      if (direction === 'outbound' && loans.has(peerId)) return false;
      const reason = await standing(peerId);
      if (reason === 'admitted') return false;
      deps.metrics.refused.inc({ direction, reason });
      deps.log[isNewsworthy() ? 'info' : 'debug']({ peerId, direction, reason }, 'peer refused');
      return true;
    },
    forget() {
      remembered.clear();
    },
  };
}

/** Strangers make up identities as fast as they like: they count in the metric, and do not fill the log. */
function createNewsworthy(now: () => number): () => boolean {
  let loggedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - loggedAt < MIN_LOG_INTERVAL_MS) return false;
    loggedAt = now();
    return true;
  };
}
