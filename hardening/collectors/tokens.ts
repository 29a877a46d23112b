import type { Collector } from './collector.ts';
import { type Document, openDocument } from './document.ts';
import { type NodePlaces, readJson } from './node-places.ts';
import { observe } from './observe.ts';

const DAY_MS = 86_400_000;
/** Words that many people or programs answer to. */
const SHARED_NAMES =
  /^(admins?|administrator|api|app|clinic|default|doctors?|everyone|guest|hospital|nurses?|office|operator|praxis|reception|root|service|shared|staff|system|team|test|tester|token|users?)\d*$/i;

const ADDS = [
  'node.tokensActive',
  'node.tokensAdmin',
  'node.tokensLongestDays',
  'node.tokensUnnamed',
  'node.tokensSharedSubject',
  'node.tokenScopes',
] as const;

interface Token {
  readonly subject: string;
  readonly scope: readonly string[];
  readonly days: number;
}

/** Who may ask the node for what: the list of its tokens, which holds none of them. */
export function createTokensCollector({
  places,
  now,
}: {
  readonly places: NodePlaces;
  readonly now: () => number;
}): Collector {
  return {
    name: 'tokens',
    kinds: [],
    adds: ADDS,
    privilege: 'read access to tokens.json',
    async collect(signal) {
      const file = openDocument(await readJson(places, 'tokens.json', signal), 'tokens.json');
      const active = file
        .in('tokens')
        .items()
        .filter((token) => isActive(token, now()))
        .map(parseToken);
      const admins = active.filter(({ scope }) => scope.includes('admin')).map(({ subject }) => subject);
      const facts = {
        'node.tokensActive': observe(() => active.length),
        'node.tokensAdmin': observe(() => admins.length),
        'node.tokensLongestDays': observe(() => Math.max(0, ...active.map(({ days }) => days))),
        'node.tokensUnnamed': observe(() => active.filter(({ subject }) => SHARED_NAMES.test(subject.trim())).length),
        'node.tokensSharedSubject': observe(
          () => new Set(admins.filter((subject, index) => admins.indexOf(subject) !== index)).size,
        ),
        'node.tokenScopes': observe(() => [...new Set(active.flatMap(({ scope }) => scope))]),
      } satisfies Record<(typeof ADDS)[number], unknown>;
      return [{ kind: 'node', name: 'node', facts }];
    },
  };
}

function isActive(token: Document, now: number): boolean {
  return token.in('revokedAt').isAbsent && timeOf(token.in('expiresAt')) > now;
}

function parseToken(token: Document): Token {
  return {
    subject: token.in('subject').text(),
    scope: token.in('scope').texts(),
    days: Math.ceil((timeOf(token.in('expiresAt')) - timeOf(token.in('createdAt'))) / DAY_MS),
  };
}

function timeOf(document: Document): number {
  const time = Date.parse(document.text());
  if (Number.isNaN(time)) throw new Error(`${document.at} is no time`);
  return time;
}
