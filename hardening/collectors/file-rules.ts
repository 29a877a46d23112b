import type { PlaceEntry } from './place.ts';

const OTHERS_BITS = 0o077;
const OTHERS_WRITE_BITS = 0o022;
const SETID_BITS = 0o6000;

export interface FileRule {
  readonly purpose: string;
  /** Readable by its owner alone. */
  readonly private: boolean;
  /** A subject of its own, however it is; what is not becomes one when something is odd about it. */
  readonly listed: boolean;
}

const secret = (purpose: string): FileRule => ({ purpose, private: true, listed: true });
const open = (purpose: string): FileRule => ({ purpose, private: false, listed: true });
const bulk = (purpose: string): FileRule => ({ purpose, private: true, listed: false });

/** By PLACE/PATH; the first that matches. */
const RULES: readonly (readonly [pattern: RegExp, rule: FileRule])[] = [
  [/^home\/$/, secret('home')],
  [/^home\/config\.json$/, secret('config')],
  [/^config\/config\.json$/, open('config')],
  [/^(home|config)\/network\.json$/, open('network')],
  [/^(home\/identity|config)\/public\.json$/, open('identity')],
  [/^(home|keys)\/identity(\/.*\.sealed)?$/, secret('identity')],
  [/^(home|keys)\/keys\.json$/, secret('key-store')],
  [/^(home|gateway)\/tls\/.*\.key$/, secret('tls-key')],
  [/^(home|gateway)\/tls\/.*\.crt$/, open('tls-certificate')],
  [/^(home|gateway)\/tokens\.json$/, secret('tokens')],
  [/^home\/client(\/token)?$/, secret('client-token')],
  [/^home\/hardening\/report-key[^/]*$/, secret('report-key')],
  [/^home\/hardening(\/.*)?$/, { purpose: 'report', private: false, listed: false }],
  [/^home\/target\.json$/, open('target')],
  [/^home\/seccomp(\/.*)?$/, { purpose: 'target', private: false, listed: false }],
  [/^home\/logs(\/node\.log)?$/, secret('log')],
  [/^(home\/audit|audit\/)$/, secret('audit')],
  [/^(home\/audit|audit)\//, bulk('audit')],
  [/^(home\/store|store)\/index$/, secret('store-index')],
  [/^(home\/store|store)\/index\//, bulk('store-index')],
  [/^(home\/store|store\/)$/, secret('store')],
  [/^(home\/store|store)\//, bulk('store')],
  [/^(home\/rollup|rollup\/)$/, secret('rollup')],
  [/^(home\/rollup|rollup)\//, bulk('rollup')],
  [/^(keys|gateway)\/$/, secret('volume')],
  [/^config\//, { purpose: 'config', private: false, listed: false }],
];

export function ruleOf(place: string, path: string): FileRule {
  const name = `${place}/${path}`;
  return RULES.find(([pattern]) => pattern.test(name))?.[1] ?? bulk('other');
}

/** Whether others may do with it what they should not, or it is not what it seems. */
export function isOdd(entry: PlaceEntry, rule: FileRule, owners: readonly number[]): boolean {
  const forbidden = SETID_BITS | (rule.private ? OTHERS_BITS : OTHERS_WRITE_BITS);
  return entry.type === 'symlink' || !owners.includes(entry.uid) || (entry.mode & forbidden) !== 0;
}
