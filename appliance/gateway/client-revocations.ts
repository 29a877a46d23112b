import type { X509Certificate } from 'node:crypto';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { GatewayAudit } from './audit-needs.ts';
import { type ChainLink, keyHash } from './client-certificate.ts';
import type { RevocationStanding } from './client-schemas.ts';
import { createFloorsLog, floorsText, higherOf } from './logged-floors.ts';
import { createClientRevocationMetrics } from './metrics.ts';
import { createRevocationFiles, type Floors, type RevocationTexts } from './revocation-files.ts';
import type { RevocationList } from './revocation-list.ts';
import { newestOf, parseLists, type SignedList } from './signed-lists.ts';
import { CLOCK_SKEW_MS } from './tls.ts';

/** Of a change that others' changes come before. */
const MAX_TRIES = 16;
/** How soon a log that did not answer is asked again. */
const RETRY_MS = 250;

interface Loaded {
  /** The newest list of each authority of the site that is in the file. */
  readonly lists: ReadonlyMap<string, SignedList>;
  readonly floors: Floors;
  /** Why nothing of it can be believed. */
  readonly damage?: string;
}

/**
 * What the authorities of the site took back. An authority that ever gave a list is held to it: without a list that is current and no
 * older than one that was taken before, none of its certificates is good.
 */
export interface ClientRevocations {
  /** GATEWAY_CLIENT_CERTIFICATE_REVOKED, or GATEWAY_CLIENT_REVOCATION_UNKNOWN while the list of an authority is not usable. */
  require(chain: readonly ChainLink[]): void;
  /**
   * Takes lists, each in place of the one of its authority; nothing forgets all. Durable and in force, in open connections too, when
   * it resolves; GATEWAY_CLIENT_REVOCATIONS_INVALID, GATEWAY_CLIENT_REVOCATIONS_PARTIAL.
   */
  replace(pem: string): Promise<void>;
  standing(): RevocationStanding[];
  /** The newest number of each authority, as its leaf states them. */
  floors(): string;
  /** Holds the files against the log, if it can be asked and they were not held yet: before a certificate is judged. */
  hold(): Promise<void>;
  /** Reads the files anew when somebody changed them, or `again`, when the authorities did. */
  look(again?: 'again'): Promise<void>;
}

export async function openClientRevocations(
  texts: RevocationTexts,
  deps: {
    readonly site: () => readonly X509Certificate[];
    readonly now: () => number;
    readonly log: Logger;
    readonly metrics: Metrics;
    readonly audit: Pick<GatewayAudit, 'append' | 'loggedNotes'>;
  },
): Promise<ClientRevocations> {
  const files = createRevocationFiles(texts);
  const record = createFloorsLog(deps.audit);
  const { site, now, log } = deps;
  let loaded: Loaded = { lists: new Map(), floors: {} };
  let seen = '';
  let isHeld = false;
  let holding: Promise<void> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(() => onTopOfOthers(work));
    turn = mine.catch(() => undefined);
    return mine;
  };

  const load = async (): Promise<void> => {
    isHeld = false;
    seen = await files.stamp();
    loaded = await read();
    const { lists, floors, damage } = loaded;
    if (damage !== undefined) log.error({ reason: damage }, 'the revocation lists of clients are not usable');
    const raised = raise(floors, lists);
    if (raised === undefined) return;
    await files.writeFloors(raised);
    loaded = { ...loaded, floors: raised };
    seen = await files.stamp();
  };
  /** Lists and floors that were put back together agree: only the log knows that there were newer ones. */
  const holdNow = async (): Promise<void> => {
    const logged = await record.logged();
    const floors = higherOf(loaded.floors, logged ?? {});
    if (floorsText(floors) !== floorsText(loaded.floors)) {
      log.error({}, 'the revocation lists of clients are older than the log: their floors are those of the log again');
      await files.writeFloors(floors);
      await load();
      // Between another gateway's leaf and its text, the text is another for a moment.
      if (!files.shared) await record.restored();
    }
    if (floorsText(floors) !== floorsText(logged ?? {})) await record.record(floors);
    isHeld = true;
  };
  const read = async (): Promise<Loaded> => {
    let floors: Floors = {};
    try {
      floors = await files.readFloors();
      return { floors, lists: newestOf(parseLists(await files.readLists(), site(), { foreign: 'left out' })) };
    } catch (error) {
      // The store that does not answer says nothing of the lists.
      if (files.shared && !isDamage(error)) throw error;
      return { floors, lists: new Map(), damage: (error as Error).message };
    }
  };
  const keys = new WeakMap<X509Certificate, string>();
  const keyOf = (authority: X509Certificate): string => {
    const key = keys.get(authority) ?? keyHash(authority);
    keys.set(authority, key);
    return key;
  };
  const standing = (): RevocationStanding[] =>
    site().flatMap((authority) => describeStanding(authority, keyOf(authority), loaded, now()) ?? []);

  // The copy of another gateway's change is in force before the request that it concerns goes on.
  if (files.shared) files.onChange(() => inTurn(load));
  else await load();
  createClientRevocationMetrics(deps.metrics, standing);
  return {
    require(chain) {
      const states = new Map(site().map((one) => [keyOf(one), stateOf(keyOf(one), loaded, now())]));
      const held = chain.filter(({ issuer }) => states.get(issuer) !== undefined);
      const first = chain[0];
      // Of an intermediate authority without a list nobody can say whom it took back.
      if (first !== undefined && held.length > 0 && !held.includes(first))
        throw new NectarError('GATEWAY_CLIENT_REVOCATION_UNKNOWN', { state: 'missing' });
      for (const { issuer, serial } of held) {
        const state = states.get(issuer) ?? 'missing';
        if (loaded.lists.get(issuer)?.list.revoked.has(serial) === true)
          throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_REVOKED', {});
        if (state !== 'current') throw new NectarError('GATEWAY_CLIENT_REVOCATION_UNKNOWN', { state });
      }
    },
    replace: (pem) =>
      inTurn(async () => {
        if (files.shared) await load();
        if (pem.trim() === '') {
          await files.writeFloors({});
          await files.writeLists('');
        } else {
          if (!isHeld) await holdNow();
          const given = parseLists(pem, site(), { foreign: 'refused' });
          for (const one of given) requireUsable(one, loaded.floors, now());
          const next = newestOf([...loaded.lists.values(), ...given]);
          await files.writeLists(Array.from(next.values(), (one) => one.pem).join(''));
        }
        await load();
        // The caller puts it on record.
        isHeld = true;
      }),
    standing,
    floors: () => floorsText(loaded.floors),
    async hold() {
      if (isHeld || (holding === undefined && Math.abs(now() - triedAt) < RETRY_MS)) return;
      holding ??= inTurn(async () => {
        if (files.shared) await load();
        if (!isHeld) await holdNow();
      })
        .catch((error: unknown) => {
          triedAt = now();
          log.debug({ err: error }, 'revocation lists are not held against the log yet');
        })
        .finally(() => {
          holding = undefined;
        });
      await holding;
    },
    look: (again) =>
      inTurn(async () => {
        if (again === undefined && (await files.stamp()) === seen) return;
        await load();
      }),
  };
}

/** Once more when another gateway's change came between reading and writing. */
async function onTopOfOthers(work: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isNectarError(error, 'NODE_SHELF_CHANGED') || tried >= MAX_TRIES) throw error;
    }
  }
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof RangeError ||
    error instanceof SyntaxError ||
    isNectarError(error, 'GATEWAY_CLIENT_REVOCATIONS_INVALID') ||
    isNectarError(error, 'GATEWAY_CLIENT_REVOCATIONS_PARTIAL') ||
    isNectarError(error, 'NODE_SHELF_TEXT_INVALID')
  );
}

function requireUsable({ list, authority }: SignedList, floors: Floors, now: number): void {
  const invalid = (reason: string) => new NectarError('GATEWAY_CLIENT_REVOCATIONS_INVALID', { reason });
  if (list.nextUpdate <= now) throw invalid('one has expired');
  if (list.thisUpdate > now + CLOCK_SKEW_MS) throw invalid('one begins in the future');
  if (isBehind(list, floors[authority])) throw invalid('one is older than the one that is in force');
}

/** One number is one list. */
function isBehind(list: RevocationList, floor: Floors[string] | undefined): boolean {
  if (floor === undefined) return false;
  const before = BigInt(floor.number);
  return list.number < before || (list.number === before && list.digest !== floor.digest);
}

/** The floors with what these lists add; undefined when they add nothing. */
function raise(floors: Floors, lists: Loaded['lists']): Floors | undefined {
  const higher = [...lists.values()].filter(({ list, authority }) => {
    const floor = floors[authority];
    return floor === undefined || list.number > BigInt(floor.number);
  });
  if (higher.length === 0) return undefined;
  const added = higher.map(({ authority, list: { number, digest } }) => [
    authority,
    { number: String(number), digest },
  ]);
  return { ...floors, ...Object.fromEntries(added) };
}

/** Undefined for an authority that never gave a list: nothing was promised for it. */
function stateOf(key: string, { lists, floors, damage }: Loaded, now: number): RevocationStanding['state'] | undefined {
  const list = lists.get(key)?.list;
  if (damage !== undefined) return 'unreadable';
  if (list === undefined) return floors[key] === undefined ? undefined : 'missing';
  if (isBehind(list, floors[key])) return 'behind';
  if (list.nextUpdate <= now) return 'expired';
  return list.thisUpdate > now + CLOCK_SKEW_MS ? 'early' : 'current';
}

function describeStanding(
  authority: X509Certificate,
  key: string,
  loaded: Loaded,
  now: number,
): RevocationStanding | undefined {
  const state = stateOf(key, loaded, now);
  if (state === undefined) return undefined;
  const list = loaded.lists.get(key)?.list;
  return {
    ...{ subject: authority.subject, fingerprint: authority.fingerprint256, state },
    ...(list !== undefined && {
      number: String(list.number),
      nextUpdate: new Date(list.nextUpdate).toISOString(),
      revoked: list.revoked.size,
    }),
  };
}
