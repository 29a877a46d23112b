import { X509Certificate } from 'node:crypto';
import { parseVerifierKey, SIGNATURE_TYPE } from '../../protocol/merkle/verifier-key.ts';
import type { Observation, Subject } from '../fact-set.ts';
import { certificateKey } from './certificate.ts';
import type { Collector } from './collector.ts';
import { type Document, openDocument } from './document.ts';
import { daysSince } from './life.ts';
import type { LifeNotes } from './life-notes.ts';
import { locate, type NodePlaces, readJson, readSmall } from './node-places.ts';
import { type FactsOf, observe } from './observe.ts';
import { looksSealed } from './sealed-bytes.ts';

const MAX_FILE_BYTES = 256 * 1024;
/** The formats of keys.json that this knows how to read: both name providers and KEKs alike. */
const KEY_STORE_VERSIONS = [1, 2];
const WRAPPING = 'AES-256-GCM';

export interface KeysOptions {
  readonly places: NodePlaces;
  readonly notes: Pick<LifeNotes, 'reportKey'>;
  readonly now: () => number;
}

type KeyFacts = FactsOf<'key'>;
interface At extends KeysOptions {
  readonly signal: AbortSignal;
}

/** Every key of the node by name, age and what opens it. Nothing here reads a key: sealed ones are told by their form. */
export function createKeysCollector(options: KeysOptions): Collector {
  return {
    name: 'keys',
    kinds: ['key'],
    adds: ['node.recoveryKit'],
    privilege: 'read access to keys.json, the sealed identities and the certificates',
    async collect(signal) {
      const at = { ...options, signal };
      const store = openDocument(await readJson(options.places, 'keys.json', signal), 'keys.json');
      if (!KEY_STORE_VERSIONS.includes(store.in('version').integer()))
        throw new Error('keys.json is of another version');
      return [
        { kind: 'node', name: 'node', facts: { 'node.recoveryKit': observe(() => hasTwoWays(store)) } },
        ...rootKeys(store, at),
        ...encryptionKeys(store, at),
        ...(await identities(at)),
        ...(await certificateKeys(at)),
        ...reportKeys(at),
      ];
    },
  };
}

interface KeySeen {
  readonly name: string;
  readonly current: boolean;
  readonly createdAt: () => string;
  readonly provider: () => string;
  readonly algorithm: () => string;
  readonly kdf?: Document;
}

function keySubject(name: string, seen: KeySeen, { now }: At): Subject {
  const { kdf } = seen;
  const ofPassphrase = (read: (kdf: Document) => number): Observation =>
    kdf === undefined ? { absent: 'no passphrase opens it' } : observe(() => read(kdf));
  const facts: KeyFacts = {
    'key.name': observe(() => seen.name),
    'key.current': observe(() => seen.current),
    'key.ageDays': observe(() => daysSince(now, seen.createdAt())),
    'key.provider': observe(seen.provider),
    'key.algorithm': observe(seen.algorithm),
    'key.kdf': observe(() => kdf?.in('algorithm').text() ?? ''),
    'key.kdfMemoryKib': ofPassphrase((of) => of.in('memoryKiB').integer()),
    'key.kdfPasses': ofPassphrase((of) => of.in('passes').integer()),
  };
  return { kind: 'key', name, facts };
}

/** A way in that is not the other one again. */
function hasTwoWays(store: Document): boolean {
  return store.in('providers').items().length > 1;
}

function rootKeys(store: Document, at: At): Subject[] {
  const providers = store.in('providers').items();
  return providers.map((entry, index) => {
    const provider = entry.in('provider').text();
    const before = providers.slice(0, index).filter((other) => other.in('provider').text() === provider).length;
    const kdf = entry.in('kdf');
    const seen = {
      name: 'root',
      current: true,
      createdAt: () => entry.in('createdAt').text(),
      provider: () => (looksSealed(Buffer.from(entry.in('sealed').text(), 'base64')) ? provider : 'plain'),
      algorithm: () => WRAPPING,
      ...(!kdf.isAbsent && { kdf }),
    };
    return keySubject(before === 0 ? `root/${provider}` : `root/${provider}/${before + 1}`, seen, at);
  });
}

/** Sealed by the root key, or (of version 1) derived from it; a data key is wrapped by the current one. Destroyed ones are no keys. */
function encryptionKeys(store: Document, at: At): Subject[] {
  const current = store.in('current').text();
  return store
    .in('keks')
    .items()
    .filter((kek) => kek.in('destroyedAt').isAbsent)
    .map((kek) => {
      const name = kek.in('id').text();
      const createdAt = (): string => kek.in('createdAt').text();
      return keySubject(
        name,
        { name, current: name === current, createdAt, provider: () => 'sealed', algorithm: () => WRAPPING },
        at,
      );
    });
}

/** Algorithms as the public halves tell them. */
const IDENTITIES: readonly (readonly [file: string, name: string, algorithm: (identity: Document) => string])[] = [
  ['p2p', 'identity', (identity) => (identity.in('peerId').text().startsWith('12D3KooW') ? 'Ed25519' : 'unknown')],
  [
    'operator',
    'operator',
    (identity) => (/^0x[0-9a-f]{40}$/.test(identity.in('operator').text()) ? 'EC secp256k1' : 'unknown'),
  ],
  ['checkpoint', 'checkpoint', (identity) => checkpointAlgorithm(identity.in('checkpointVkey').text())],
  ['token', 'token', (identity) => identity.in('tokenJwk', 'crv').text()],
];

function checkpointAlgorithm(vkey: string): string {
  return parseVerifierKey(vkey).type === SIGNATURE_TYPE.ed25519 ? 'Ed25519' : 'unknown';
}

async function identities(at: At): Promise<Subject[]> {
  const { places, signal } = at;
  const identity = openDocument(await readJson(places, 'identity/public.json', signal), 'identity/public.json');
  const subjects: Subject[] = [];
  for (const [file, name, algorithm] of IDENTITIES) {
    const sealed = await readSealed(`identity/${file}.sealed`, at);
    subjects.push(keySubject(name, { name, current: true, ...sealed, algorithm: () => algorithm(identity) }, at));
  }
  return subjects;
}

/** When its file was written: a backup that is restored keeps that time, and nothing else tells it. */
async function readSealed(path: string, { places, signal }: At): Promise<Pick<KeySeen, 'createdAt' | 'provider'>> {
  const location = locate(places, path);
  let modifiedAt: number | undefined;
  for await (const entry of location.place.entries(signal, location.path)) modifiedAt = entry.modifiedAt;
  const bytes = await readSmall(location, MAX_FILE_BYTES, signal);
  const missing = (): never => {
    throw new Error(`there is no ${path}`);
  };
  return {
    createdAt: () => new Date(modifiedAt ?? missing()).toISOString(),
    provider: () => (looksSealed(bytes ?? missing()) ? 'sealed' : 'plain'),
  };
}

/** The authority's key is sealed; that of the server lies bare, as the gateway must start before anybody unlocks. */
async function certificateKeys(at: At): Promise<Subject[]> {
  const { places, signal } = at;
  const authority = await readCertificate('tls/ca.crt', at);
  const server = await readCertificate('tls/server.crt', at);
  const { provider } = await readSealed('identity/tls-ca.sealed', at);
  const key = await readSmall(locate(places, 'tls/server.key'), MAX_FILE_BYTES, signal);
  const serverProvider = (): string => {
    if (key === undefined) throw new Error('there is no tls/server.key');
    return key.includes('PRIVATE KEY') && !key.includes('ENCRYPTED') ? 'plain' : 'sealed';
  };
  return [
    keySubject('tls-ca', { name: 'tls-ca', current: true, ...authority, provider }, at),
    keySubject('tls', { name: 'tls', current: true, ...server, provider: serverProvider }, at),
  ];
}

async function readCertificate(
  path: string,
  { places, signal }: At,
): Promise<Pick<KeySeen, 'createdAt' | 'algorithm'>> {
  const bytes = await readSmall(locate(places, path), MAX_FILE_BYTES, signal);
  const certificate = (): X509Certificate => {
    if (bytes === undefined) throw new Error(`there is no ${path}`);
    return new X509Certificate(bytes);
  };
  return {
    createdAt: () => certificate().validFromDate.toISOString(),
    algorithm: () => certificateKey(certificate()),
  };
}

function reportKeys(at: At): Subject[] {
  const { reportKey } = at.notes;
  if (reportKey === undefined) return [];
  const { createdAt, algorithm, passphrase, kdf } = reportKey;
  const seen = {
    name: 'report',
    current: true,
    createdAt: () => createdAt,
    provider: () => (passphrase ? 'passphrase' : 'plain'),
    algorithm: () => algorithm,
    ...(kdf !== undefined && { kdf: openDocument(kdf) }),
  };
  return [keySubject('report', seen, at)];
}
