import { WEAKENED_PODS } from './weakened-pods.ts';
import { WEAKENED_SURROUNDINGS } from './weakened-surroundings.ts';
import type { Weakening } from './world.ts';

/** Every one of them is seen: one by one as facts in the unit tests, and together on a real API server. */
export const WEAKENINGS: readonly Weakening[] = [...WEAKENED_PODS, ...WEAKENED_SURROUNDINGS];
