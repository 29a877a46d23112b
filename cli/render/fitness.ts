import type { HardeningStatus } from '../../appliance/gateway/hardening-schemas.ts';
import { fitnessSentence } from '../../hardening/report/fitness.ts';
import { hang, type Screen } from '../../hardening/report/terminal/text.ts';
import { timeWords } from '../../hardening/report/words.ts';

/**
 * The first lines of `status` and `doctor`: whether the node may hold patients' data, in the words of the newest report of any
 * profile. Undefined: the node could not be asked.
 */
export function renderFitness(hardening: HardeningStatus | null | undefined, screen: Screen): string {
  const [colour, words] = fitnessWords(hardening);
  return hang('', words, screen)
    .map((line) => screen.style(colour, line))
    .join('\n');
}

function fitnessWords(hardening: HardeningStatus | null | undefined): ['green' | 'red' | 'yellow', string] {
  if (hardening === undefined) return ['yellow', unknown('the node cannot be asked')];
  const fitness = hardening?.fitness ?? null;
  if (fitness === null) return ['yellow', unknown('no report on record says so: `nectar-byon harden` makes one')];
  return [fitness.fit ? 'green' : 'red', `${fitnessSentence(fitness)} (Report of ${timeWords(fitness.at)}.)`];
}

function unknown(reason: string): string {
  return `Fit for patient data: not known, because ${reason}.`;
}
