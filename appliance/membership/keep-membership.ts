import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError } from '../../protocol/errors.ts';
import type { Readiness, Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { Membership } from './membership.ts';
import { createMembershipMetrics } from './metrics.ts';
import type { MembershipStanding } from './standing.ts';

const LOOK_INTERVAL_MS = 10_000;
/** Addresses are written to the chain at most so often, whatever a network interface does; a failure waits as long. */
const CHANGE_INTERVAL_MS = 5 * 60_000;
/** Of the end of the attestation the log tells when so many days are left, once each. */
const WARNING_DAYS = [1, 7, 30] as const;
const DAY_MS = 86_400_000;

export interface KeepMembershipDeps {
  readonly membership: Pick<Membership, 'standing' | 'keepAddresses'>;
  /** Whether the registry is that of today. */
  readonly isCurrent: () => boolean;
  readonly addresses: () => readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly lookIntervalMs?: number;
}

/**
 * Keeps the entry of this node true while it runs: addresses that changed are written to the registry without another `join`, and
 * the end of the attestation is counted and told. One look of its own: `look`.
 */
export interface KeepMembership extends Service {
  look(): Promise<void>;
}

export function createKeepMembership(deps: KeepMembershipDeps): KeepMembership {
  const { membership, log, now } = deps;
  const metrics = createMembershipMetrics(deps.metrics);
  let stopping = new AbortController();
  let running: Promise<void> | undefined;
  let seen = '';
  let notBefore = Number.NEGATIVE_INFINITY;
  let told: number | undefined;

  /** Only what stood at two looks: an interface that comes up has one address after the other. */
  async function keepAddresses(): Promise<void> {
    const addresses = deps.addresses().join(' ');
    const isSteady = addresses === seen;
    seen = addresses;
    if (!isSteady || addresses === '' || now() < notBefore) return;
    try {
      const transaction = await membership.keepAddresses();
      if (transaction === undefined) return;
      notBefore = now() + CHANGE_INTERVAL_MS;
      log.info({ transaction, addresses: deps.addresses() }, 'addresses changed in the registry');
    } catch (error) {
      notBefore = now() + CHANGE_INTERVAL_MS;
      const code = isNectarError(error) ? error.code : 'internal error';
      log.warn({ code }, 'addresses not changed in the registry');
      log.debug({ err: error }, 'addresses not changed in the registry');
    }
  }

  function tell({ validUntil }: MembershipStanding): void {
    const end = validUntil === undefined ? 0 : Date.parse(validUntil);
    metrics.attestationEnd.set(end / 1000);
    const days = (end - now()) / DAY_MS;
    const level = end === 0 ? undefined : WARNING_DAYS.find((limit) => days < limit);
    if (level !== undefined && level !== told) log.warn({ validUntil }, 'the attestation of this node ends soon');
    told = level;
  }

  async function look(): Promise<void> {
    if (!deps.isCurrent()) return;
    tell(await membership.standing());
    await keepAddresses();
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await look().catch((error: unknown) => log.debug({ err: error }, 'the registry does not answer'));
      await sleep(deps.lookIntervalMs ?? LOOK_INTERVAL_MS, undefined, { signal }).catch(() => {});
    }
  }

  return {
    name: 'membership',
    look,
    async start(signal) {
      stopping = new AbortController();
      running = run(AbortSignal.any([signal, stopping.signal]));
    },
    async stop() {
      stopping.abort();
      await running;
    },
    readiness: (): Readiness => ({ ready: true }),
  };
}
