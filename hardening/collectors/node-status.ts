import { askNode } from './ask-node.ts';
import { attestationDaysLeft } from './attestation.ts';
import type { Collector } from './collector.ts';
import type { Document } from './document.ts';
import { openDocument } from './document.ts';
import { look } from './look.ts';
import type { NodeApi } from './node-api.ts';
import type { NodeSettings } from './node-settings.ts';

/** A list of more pages says so instead of being read whole: each page is an entry in the audit log. */
const MAX_PAGES = 20;
const PAGE_RECORDS = 1000;
const DAY_MS = 86_400_000;

const ADDS = [
  'node.ready',
  'node.locked',
  'node.membership',
  'node.attestationDaysLeft',
  'node.peers',
  'node.l1Synced',
  'node.records',
  'node.indexCondition',
  'node.indexDamaged',
  'node.keyList',
  'node.tokenList',
  'node.auditChain',
  'node.auditGaps',
  'node.custodyFullPercent',
  'node.custodyOldestDays',
  'node.underReplicated',
  'node.anchoredRecordsPending',
  'node.lockProbe',
] as const;

export interface NodeStatusDeps {
  /** undefined: the node does not run, or nobody's token is at hand. */
  readonly api: NodeApi | undefined;
}

/** What the running node says of itself. */
export function createNodeStatusCollector(
  { settings, now }: { readonly settings: Pick<NodeSettings, 'effective'>; readonly now: () => number },
  { api }: NodeStatusDeps,
): Collector {
  return {
    name: 'node-status',
    kinds: [],
    adds: ADDS,
    privilege: "the owner's token, scopes node:read and records:read",
    async collect(signal) {
      const status = await askNode(api, '/v1/node', { signal });
      const known = (key: string): Document => {
        const value = status.in(key);
        if (value.isAbsent) throw new Error('the node does not know it yet: it is locked or starting');
        return value;
      };
      const seen = (read: () => ReturnType<Parameters<typeof look>[1]>) => look(signal, read);
      const facts = {
        'node.ready': await seen(() => status.in('ready').flag()),
        'node.locked': await seen(() => status.in('locked').flag()),
        'node.membership': await seen(async () =>
          (await askNode(api, '/v1/network', { signal })).in('membership').text(),
        ),
        'node.attestationDaysLeft': await seen(() => attestationDaysLeft(api, now, signal)),
        'node.peers': await seen(() => known('peers').integer()),
        'node.l1Synced': await seen(() => isSynced(status)),
        'node.records': await seen(() => known('records').integer()),
        'node.indexCondition': await seen(() => known('storage').in('index').text()),
        'node.indexDamaged': await seen(() => known('storage').in('damaged').integer()),
        'node.keyList': await seen(() => keyListOf(status)),
        'node.tokenList': await seen(() => tokenListOf(known('tokens'))),
        'node.auditChain': await seen(() => known('audit').in('chain').text()),
        'node.auditGaps': await seen(() => gapsOf(known('audit').in('epochs'))),
        'node.custodyFullPercent': await seen(() => fullPercentOf(known('custody'))),
        'node.custodyOldestDays': await seen(() => oldestDaysOf(known('custody'), now)),
        'node.underReplicated': await seen(() => countUnderReplicated({ api, settings }, signal)),
        'node.anchoredRecordsPending': await seen(() => known('anchored').in('pending').integer()),
        'node.lockProbe': await seen(() => probeLock(status, api, signal)),
      } satisfies Record<(typeof ADDS)[number], unknown>;
      return [{ kind: 'node', name: 'node', facts }];
    },
  };
}

/** The rollup tells in its reason when L1 is silent or far ahead; without heads it has not begun. */
function isSynced(status: Document): boolean {
  const reasons = status.in('reasons').items();
  return !status.in('l2').isAbsent && !reasons.some((reason) => reason.in('service').text() === 'rollup');
}

/** What the keys say of their list, by the codes of the error registry. */
const KEY_LIST: Readonly<Record<string, string>> = {
  KEY_STORE_BEHIND: 'behind',
  KEY_STORE_AHEAD: 'ahead',
  KEY_STORE_INVALID: 'damaged',
  KEY_STORE_MISSING: 'missing',
};

function keyListOf(status: Document): string {
  if (status.in('locked').flag()) throw new Error('the node is locked: nothing was compared yet');
  for (const reason of status.in('reasons').items()) {
    const fault = reason.in('fault');
    const state = fault.isAbsent ? undefined : KEY_LIST[fault.in('code').text()];
    if (state !== undefined) return state;
  }
  return 'fresh';
}

function tokenListOf(tokens: Document): string {
  const found = tokens.in('found');
  return found.isAbsent ? 'newest' : found.text();
}

/** An epoch begun by a restore of the newest backup lost nothing: 0 is no gap. */
function gapsOf(epochs: Document): number {
  if (epochs.isAbsent) return 0;
  return epochs.items().filter((epoch) => epoch.in('lost').isAbsent || epoch.in('lost').integer() > 0).length;
}

const KEEPS_NONE = { absent: 'this node keeps no backup repository of another one' };

function fullPercentOf(custody: Document): number | typeof KEEPS_NONE {
  if (custody.in('repositories').integer() === 0) return KEEPS_NONE;
  const quota = custody.in('quotaBytes').integer();
  return quota === 0 ? 100 : Math.ceil((100 * custody.in('fullestBytes').integer()) / quota);
}

/** A repository that has no snapshot yet has no moment: the others are judged. */
function oldestDaysOf(custody: Document, now: () => number): number | { absent: string } {
  const at = custody.in('oldestAt');
  if (custody.in('repositories').integer() === 0) return KEEPS_NONE;
  if (at.isAbsent) return { absent: 'no repository that this node keeps has a snapshot yet' };
  const ms = Date.parse(at.text());
  if (Number.isNaN(ms)) throw new Error('the moment of its oldest snapshot is no time');
  return Math.max(0, Math.floor((now() - ms) / DAY_MS));
}

async function countUnderReplicated(
  { api, settings }: { api: NodeApi | undefined; settings: Pick<NodeSettings, 'effective'> },
  signal: AbortSignal,
): Promise<number> {
  const wanted = openDocument(settings.effective, 'the configuration').in('store', 'replicas').integer();
  if (wanted === 0) return 0;
  let count = 0;
  let cursor = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await askNode(api, `/v1/records?limit=${PAGE_RECORDS}${cursor}`, { signal });
    count += answer
      .in('records')
      .items()
      .filter((record) => record.in('replicas').items().length < wanted).length;
    const next = answer.in('cursor');
    if (next.isAbsent) return count;
    cursor = `&cursor=${encodeURIComponent(next.text())}`;
  }
  throw new Error(`there are more than ${MAX_PAGES * PAGE_RECORDS} records`);
}

async function probeLock(status: Document, api: NodeApi | undefined, signal: AbortSignal) {
  if (!status.in('locked').flag()) return { absent: 'the node is unlocked' };
  try {
    await askNode(api, '/v1/records?limit=1', { signal });
    return false;
  } catch (error) {
    if (error instanceof Error && error.message.includes('KEY_LOCKED')) return true;
    throw error;
  }
}
