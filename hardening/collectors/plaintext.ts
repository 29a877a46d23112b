import type { Observation, Subject } from '../fact-set.ts';
import type { Collector } from './collector.ts';
import { CANARY, type DataSurvey, type SurveyResult } from './data-survey.ts';
import { observe } from './observe.ts';
import type { PlaceSurvey } from './survey.ts';

const NODE_FACTS = [
  'node.encryptionProbe',
  'node.shredProbe',
  'node.auditAppendProbe',
  'node.auditBodiesSealed',
  'node.canariesFound',
  'node.canaryPlaces',
  'node.scannedBytes',
  'node.plaintextMarkers',
] as const;
const VOLUME_FACTS = ['volume.canaries', 'volume.scannedBytes', 'volume.plaintextMarkers'] as const;

export interface PlaintextOptions {
  /** Volumes in memory, by the engine's names: there is no disk to look at. */
  readonly inMemory: readonly string[];
}

/** Whether anything lies in plain text where only ciphertext belongs: canaries put for it, and the marks of clinical data. */
export function createPlaintextCollector(
  { inMemory }: PlaintextOptions,
  { survey }: { readonly survey: DataSurvey },
): Collector {
  return {
    name: 'plaintext',
    kinds: [],
    adds: [...NODE_FACTS, ...VOLUME_FACTS],
    privilege: "the owner's token, and read access to every byte of the home and of the volumes",
    async collect(signal) {
      const result = await survey.run(signal);
      const absent = { absent: 'it lies in memory' };
      return [
        observeNode(result),
        ...result.places.flatMap((place) => observeVolume(place, result)),
        ...inMemory.map((name): Subject => {
          const facts = { 'volume.canaries': absent, 'volume.scannedBytes': absent, 'volume.plaintextMarkers': absent };
          return { kind: 'volume', name, facts };
        }),
      ];
    },
  };
}

function observeNode(result: SurveyResult): Subject {
  const { places, unplanted, cameBack, logged, shredded } = result;
  const hits = places.flatMap(({ place, signs }) => signs.map(({ sign, path }) => ({ sign, path, place: place.name })));
  const canaries = hits.filter(({ sign }) => sign === CANARY);
  const clinical = hits.filter(({ sign }) => sign !== CANARY);
  // What was found is certain; that nothing was found is so only when everything was read.
  const allOf = <T>(found: readonly T[]): readonly T[] => {
    if (found.length === 0) requireRead(places);
    return found;
  };
  const planted = (): void => {
    if (unplanted !== undefined) throw new Error(unplanted);
  };
  const facts = {
    'node.encryptionProbe': combine(cameBack, () => allOf(canaries).length === 0),
    'node.shredProbe': shredded,
    'node.auditAppendProbe': logged,
    'node.auditBodiesSealed': observe(() => allOf(clinical.filter(isAuditBody)).length === 0),
    'node.canariesFound': observe(() => {
      planted();
      return allOf(canaries).length;
    }),
    'node.canaryPlaces': observe(() => {
      planted();
      return allOf(canaries).map(({ place }) => place);
    }),
    'node.scannedBytes': observe(() => {
      requireRead(places);
      return places.reduce((sum, { scannedBytes }) => sum + scannedBytes, 0);
    }),
    'node.plaintextMarkers': observe(() => allOf(clinical).map(({ sign, place }) => `${sign} in ${place}`)),
  } satisfies Record<(typeof NODE_FACTS)[number], Observation>;
  return { kind: 'node', name: 'node', facts };
}

function observeVolume(survey: PlaceSurvey, { unplanted }: SurveyResult): Subject[] {
  const { place, signs, scannedBytes } = survey;
  if (place.volume === undefined) return [];
  const count = (wanted: (sign: string) => boolean): readonly string[] => {
    const found = signs.filter(({ sign }) => wanted(sign)).map(({ sign }) => sign);
    if (found.length === 0) requireRead([survey]);
    return found;
  };
  const facts = {
    'volume.canaries': observe(() => {
      if (unplanted !== undefined) throw new Error(unplanted);
      return count((sign) => sign === CANARY).length;
    }),
    'volume.scannedBytes': observe(() => {
      requireRead([survey]);
      return scannedBytes;
    }),
    'volume.plaintextMarkers': observe(() => count((sign) => sign !== CANARY)),
  } satisfies Record<(typeof VOLUME_FACTS)[number], Observation>;
  return [{ kind: 'volume', name: place.volume, facts }];
}

function requireRead(places: readonly PlaceSurvey[]): void {
  const unread = places.find(({ error }) => error !== undefined);
  if (unread !== undefined) throw new Error(unread.error);
}

/** An event in the log is FHIR, and sealed. */
function isAuditBody({ sign, path, place }: { sign: string; path: string; place: string }): boolean {
  return sign === 'FHIR' && (place === 'audit' || (place === 'home' && path.startsWith('audit/')));
}

/** A record that did not come back equal failed, wherever else its bytes are. */
function combine(cameBack: Observation, isHidden: () => boolean): Observation {
  return 'value' in cameBack && cameBack.value === true ? observe(isHidden) : cameBack;
}
