import { setTimeout as sleep } from 'node:timers/promises';
import { verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { parseVerifierKey, SIGNATURE_TYPE } from '../../protocol/merkle/verifier-key.ts';
import { askNode } from './ask-node.ts';
import type { Collector } from './collector.ts';
import type { Document } from './document.ts';
import { probeHttp } from './http-probe.ts';
import { daysSince } from './life.ts';
import type { LifeNotes } from './life-notes.ts';
import type { ExpectedListener } from './listener.ts';
import { look } from './look.ts';
import type { NodeApi } from './node-api.ts';
import { forEach, observe, unseen } from './observe.ts';

/** Refusals are written soon, not at once: a flood of them must not hold up anybody. */
const DENIAL_ATTEMPTS = 20;
const DENIAL_PAUSE_MS = 250;
const DENIAL_ENTRIES = 100;
/** In a flood a refusal is counted, and the counts are written when the minute ends. */
const COUNT_ATTEMPTS = 15;
const COUNT_PAUSE_MS = 5_000;
/** The node reads its whole log. */
const VERIFY_TIMEOUT_MS = 30 * 60_000;

const VERDICT = [
  'node.auditIntegrity',
  'node.auditCompleteness',
  'node.auditVerifyDays',
  'node.auditVerified',
] as const;
const ADDS = [
  ...VERDICT,
  'node.auditSize',
  'node.auditAnchoredSize',
  'node.auditUnanchoredLeaves',
  'node.auditCheckpointSigned',
  'node.auditWitnesses',
  'node.auditDenialProbe',
] as const;

export interface AuditLogOptions {
  readonly notes: Pick<LifeNotes, 'createdAt' | 'lastVerify'>;
  /** Where a request without a token is made. */
  readonly gateway: ExpectedListener | undefined;
  /** False: nothing is recomputed and nothing is refused for it; what was noted last counts. */
  readonly probe: boolean;
  readonly now: () => number;
}

export interface AuditLogDeps {
  readonly api: NodeApi | undefined;
  /** The log's key, NAME+HASH+KEY, as the node's public identity states it. */
  readonly vkey: () => string;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface At {
  readonly options: AuditLogOptions;
  readonly deps: AuditLogDeps;
  readonly signal: AbortSignal;
}

/** The audit log: recomputed by the node from disk, its checkpoint verified here, and a refusal made to see that it is recorded. */
export function createAuditLogCollector(options: AuditLogOptions, deps: AuditLogDeps): Collector {
  return {
    name: 'audit-log',
    kinds: [],
    adds: ADDS,
    privilege: "the owner's token, scopes audit:read and node:read",
    async collect(signal) {
      const at = { options, deps, signal };
      const facts = {
        ...(await observeVerdict(at)),
        ...(await observeProgress(at)),
        ...(await observeCheckpoint(at)),
        'node.auditDenialProbe': await look(signal, () => probeDenial(at)),
      } satisfies Record<(typeof ADDS)[number], unknown>;
      return [{ kind: 'node', name: 'node', facts }];
    },
  };
}

async function observeVerdict({ options, deps, signal }: At) {
  const { notes, probe, now } = options;
  if (!probe) {
    const { lastVerify } = notes;
    const noted = (read: (verdict: NonNullable<LifeNotes['lastVerify']>) => string) =>
      observe(() => {
        if (lastVerify === undefined)
          throw new Error('probing was switched off, and no earlier verification was noted');
        return read(lastVerify);
      });
    return {
      'node.auditIntegrity': noted(({ integrity }) => integrity),
      'node.auditCompleteness': noted(({ completeness }) => completeness),
      'node.auditVerifyDays': observe(() => daysSince(now, lastVerify?.at ?? notes.createdAt)),
      'node.auditVerified': { error: 'probing was switched off' },
    };
  }
  let verdict: Document;
  try {
    verdict = await askNode(deps.api, '/v1/audit/verify', { method: 'POST', signal, timeoutMs: VERIFY_TIMEOUT_MS });
  } catch (error) {
    signal.throwIfAborted();
    return forEach(VERDICT, unseen(error));
  }
  return {
    'node.auditIntegrity': observe(() => verdict.in('integrity').text()),
    'node.auditCompleteness': observe(() => verdict.in('completeness').text()),
    'node.auditVerifyDays': { value: 0 },
    'node.auditVerified': { value: true },
  };
}

async function observeProgress({ deps, signal }: At) {
  const status = () => askNode(deps.api, '/v1/node', { signal });
  return {
    'node.auditSize': await look(signal, async () => (await status()).in('audit', 'size').integer()),
    'node.auditAnchoredSize': await look(signal, async () => (await status()).in('anchored', 'auditSize').integer()),
    'node.auditUnanchoredLeaves': await look(signal, async () => {
      const seen = await status();
      return Math.max(0, seen.in('audit', 'size').integer() - seen.in('anchored', 'auditSize').integer());
    }),
  };
}

/** A witness counts when its cosignature verifies: this version knows the keys of none. */
async function observeCheckpoint({ deps, signal }: At) {
  const note = async () => (await askNode(deps.api, '/v1/audit/checkpoint', { signal })).in('note').text();
  return {
    'node.auditCheckpointSigned': await look(signal, async () => isSigned(await note(), deps.vkey())),
    'node.auditWitnesses': await look(signal, async () => {
      const key = parseVerifierKey(deps.vkey());
      const { signatures } = verifyCheckpoint(await note(), key);
      return signatures.filter((signature) => signature.key.type === SIGNATURE_TYPE.cosignature).length;
    }),
  };
}

function isSigned(note: string, vkey: string): boolean {
  const key = parseVerifierKey(vkey);
  try {
    verifyCheckpoint(note, key);
    return true;
  } catch {
    return false;
  }
}

/** A request without a token is refused, and the log says so under the id that the refusal carried. */
async function probeDenial({ options, deps, signal }: At) {
  const { gateway, probe } = options;
  const { wait = (ms, within) => sleep(ms, undefined, { signal: within }) } = deps;
  if (!probe) throw new Error('probing was switched off');
  if (gateway === undefined) throw new Error('nobody knows where the gateway listens');
  const target = { host: gateway.host, port: gateway.port, tls: gateway.speaks === 'https' };
  const { status, headers } = await probeHttp(target, { method: 'GET', path: '/v1/records?limit=1' }, signal);
  const requestId = headers['x-request-id'] ?? '';
  if (status === 0) throw new Error('the gateway cut the connection');
  if (status < 400 || !/^[0-9a-f]{32}$/.test(requestId)) return false;
  const since = options.now();
  for (let attempt = 0; attempt < DENIAL_ATTEMPTS + COUNT_ATTEMPTS; attempt += 1) {
    const newest = await askNode(deps.api, `/v1/audit/entries?limit=${DENIAL_ENTRIES}`, { signal });
    const entries = newest.in('entries').items();
    if (entries.some((entry) => isDenialOf(entry, requestId) || isCountSince(entry, since))) return true;
    await wait(attempt < DENIAL_ATTEMPTS ? DENIAL_PAUSE_MS : COUNT_PAUSE_MS, signal);
  }
  return false;
}

function isDenialOf(entry: Document, requestId: string): boolean {
  const type = entry.in('leaf', 'type').textOr('');
  return type === 'auth.denied' && JSON.stringify(entry.in('body').raw() ?? '').includes(requestId);
}

/** The count of refusals left out, of a minute that ended after a time: an event with `suppressed` and `until`. */
function isCountSince(entry: Document, since: number): boolean {
  if (entry.in('leaf', 'type').textOr('') !== 'auth.denied') return false;
  const body = JSON.stringify(entry.in('body').raw() ?? '');
  const until = /"type":"until","valueString":"([^"]{20,40})"/.exec(body)?.[1] ?? '';
  return body.includes('"type":"suppressed"') && Date.parse(until) >= since;
}
