import type { Observation } from '../fact-set.ts';
import { type Canaries, type CanaryDeps, plantCanaries } from './canary.ts';
import { clinicalNeedles, markerNeedles } from './needles.ts';
import { unseen } from './observe.ts';
import type { Place } from './place.ts';
import { type PlaceSurvey, surveyPlace } from './survey.ts';

const SHRED_TIMEOUT_MS = 60_000;

export const CANARY = 'canary';

export interface SurveyResult {
  readonly places: readonly PlaceSurvey[];
  /** Why no canary was planted; undefined when they were. */
  readonly unplanted: string | undefined;
  readonly cameBack: Observation;
  readonly logged: Observation;
  readonly shredded: Observation;
}

/** One look at everything on disk, for all collectors that want to know something of it: whoever asks first waits. */
export interface DataSurvey {
  run(signal: AbortSignal): Promise<SurveyResult>;
}

export interface DataSurveyOptions {
  readonly places: readonly Place[];
  /** False leaves the node alone: nothing is put, nothing is proven by it. */
  readonly probe: boolean;
}

/** Plants canaries through the node's front door, reads every byte of every place, and destroys them again, whatever happens. */
export function createDataSurvey(options: DataSurveyOptions, deps: CanaryDeps): DataSurvey {
  let running: Promise<SurveyResult> | undefined;
  return {
    run(signal) {
      running ??= survey(options, deps, signal);
      return running;
    },
  };
}

async function survey(
  { places, probe }: DataSurveyOptions,
  deps: CanaryDeps,
  signal: AbortSignal,
): Promise<SurveyResult> {
  const canaries = probe ? await plant(deps, signal) : new Error('probing was switched off');
  if (canaries instanceof Error) {
    const { error } = unseen(canaries);
    const seen = await surveyAll(places, undefined, signal);
    return { places: seen, unplanted: error, cameBack: { error }, logged: { error }, shredded: { error } };
  }
  let shredded: Observation | undefined;
  try {
    const seen = await surveyAll(places, canaries.marker, signal);
    shredded = await canaries.shred(AbortSignal.timeout(SHRED_TIMEOUT_MS));
    const { cameBack, logged } = canaries;
    return { places: seen, unplanted: undefined, cameBack, logged, shredded };
  } finally {
    // Also for whoever is leaving: no canary stays behind.
    if (shredded === undefined) await canaries.shred(AbortSignal.timeout(SHRED_TIMEOUT_MS));
  }
}

async function plant(deps: CanaryDeps, signal: AbortSignal): Promise<Canaries | Error> {
  try {
    return await plantCanaries(deps, signal);
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function surveyAll(
  places: readonly Place[],
  marker: string | undefined,
  signal: AbortSignal,
): Promise<PlaceSurvey[]> {
  const needles = [...clinicalNeedles(), ...(marker === undefined ? [] : markerNeedles(CANARY, marker))];
  const seen: PlaceSurvey[] = [];
  for (const place of places) seen.push(await surveyPlace(place, needles, signal));
  return seen;
}
