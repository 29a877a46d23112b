import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Check } from '../preflight.ts';
import { describeRekey } from './rekey.ts';
import { describeReleases } from './releases.ts';
import { describeShards, ENDANGERED_MARGIN, UNPROVED_MS } from './shards.ts';

/** A holder that is away for so long is worth a look. */
const OPEN_RELEASE_MS = 86_400_000;

/** The store's index, its keys, the list of tokens, and what others keep for it. */
export function gradeStorage({ storage, tokens }: NodeStatus): Check[] {
  return [
    ...gradeIndex(storage),
    ...gradeUnreadable(storage),
    ...gradeRekey(storage),
    ...gradeTokens(tokens),
    ...gradeHolders(storage),
    ...gradeReleases(storage),
    ...gradeShards(storage),
  ];
}

/** One that works is well; one that stopped leaves old keys in use. */
function gradeRekey(storage: NodeStatus['storage']): Check[] {
  const rekey = storage?.rekey;
  if (rekey === undefined || rekey.state === 'done') return [];
  const value = describeRekey(rekey);
  if (rekey.state === 'running') return [{ name: 'rekey', value, grade: 'good' }];
  return [{ name: 'rekey', value, grade: 'poor', advice: 'nectar-byon keys rekey' }];
}

function gradeTokens(tokens: NodeStatus['tokens']): Check[] {
  if (tokens?.found === undefined) return [];
  const was = tokens.found === 'behind' ? 'an older copy' : tokens.found;
  const value = `tokens.json was ${was}, and is whole again`;
  return [{ name: 'tokens', value, grade: 'poor', advice: 'who put it there? nectar-byon token list' }];
}

function gradeIndex(storage: NodeStatus['storage']): Check[] {
  if (storage === undefined || storage === null) return [];
  const { index, missing, damaged, cutOff } = storage;
  const advice = 'nectar-byon fsck --help';
  if (index === 'behind')
    return [{ name: 'index', value: `an older copy: ${missing} versions are missing`, grade: 'bad', advice }];
  if (index === 'ahead') return [{ name: 'index', value: 'newer than the audit log', grade: 'bad', advice }];
  if (damaged > 0) return [{ name: 'index', value: `${damaged} damaged values`, grade: 'bad', advice }];
  if (cutOff !== undefined)
    return [{ name: 'index', value: `${cutOff} puts before the kill are in the log alone`, grade: 'poor', advice }];
  return [{ name: 'index', value: 'what the audit log says', grade: 'good' }];
}

/** Of the last scrub: it reads every record, and nothing else would say so between two reads of one. */
function gradeUnreadable(storage: NodeStatus['storage']): Check[] {
  const { versions, at } = storage?.unreadable ?? {};
  if (versions === undefined || versions === 0) return [];
  const value = `${versions} versions did not read at the scrub of ${at}`;
  return [{ name: 'records', value, grade: 'bad', advice: 'nectar-byon scrub names them; restore from a backup' }];
}

/** Copies with others of what was destroyed here: unreadable, but there until the holder signs that they are not. */
function gradeReleases(storage: NodeStatus['storage']): Check[] {
  const value = describeReleases(storage?.releases);
  if (value === undefined) return [];
  if ((storage?.releases?.oldestMs ?? 0) < OPEN_RELEASE_MS) return [{ name: 'deletions', value, grade: 'good' }];
  return [{ name: 'deletions', value, grade: 'poor', advice: 'runbook, "A deletion has no receipt"' }];
}

/** What is one shard from loss, or was proved by nobody for two days, is worth a look. */
function gradeShards(storage: NodeStatus['storage']): Check[] {
  const shards = storage?.shards;
  if (shards === undefined || shards.segments === 0) return [];
  const value = describeShards(shards);
  const isEndangered = (shards.leastMargin ?? ENDANGERED_MARGIN + 1) <= ENDANGERED_MARGIN;
  if (!isEndangered && (shards.unprovedMs ?? 0) < UNPROVED_MS) return [{ name: 'shards', value, grade: 'good' }];
  return [{ name: 'shards', value, grade: 'poor', advice: 'nectar-byon storage health' }];
}

/** Members that said they hold replicas. Those that lied are somebody else's fault, and fewer replicas are ours to know. */
function gradeHolders(storage: NodeStatus['storage']): Check[] {
  const holders = storage?.holders ?? [];
  if (holders.length === 0) return [];
  const good = holders.filter(({ state }) => state === 'good').length;
  const liars = holders.filter(({ state, faults }) => state === 'distrusted' || faults > 0).length;
  const value = `${good} of ${holders.length} prove what they hold${liars === 0 ? '' : `, ${liars} gave false answers`}`;
  if (good === holders.length && liars === 0) return [{ name: 'replicas', value, grade: 'good' }];
  const advice = 'runbook, "A member does not hold what it said": nectar-byon status names it';
  return [{ name: 'replicas', value, grade: 'poor', advice }];
}
