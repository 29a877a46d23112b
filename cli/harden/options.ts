import type { Severity } from '../../hardening/check.ts';
import type { ReportFormat } from '../../hardening/report/formats.ts';
import { SELECTABLE, type Selectable, type Selection } from '../../hardening/report/selection.ts';
import { NectarError } from '../../protocol/errors.ts';

/** What `nectar-byon harden` may be asked. */
export interface HardenOptions {
  readonly profile?: string;
  readonly format?: ReportFormat;
  readonly output?: string;
  readonly force?: boolean;
  readonly threshold?: Severity;
  readonly only?: readonly Selectable[];
  readonly baseline?: string;
  readonly sign?: boolean;
  readonly passphraseFile?: string;
  readonly saveFacts?: string;
  readonly facts?: string;
  readonly manifests?: readonly string[];
  /** NAMESPACE/RELEASE. */
  readonly cluster?: string;
  readonly list?: boolean;
  /** False with --no-probe. */
  readonly probe: boolean;
  /** False with --no-record. */
  readonly record: boolean;
}

/** The verdicts that are shown. */
export function onlyOf({ only }: Pick<HardenOptions, 'only'>): Selection {
  return only?.map((word) => SELECTABLE[word]);
}

/** Refuses what makes no sense together before anything is looked at. @throws NectarError CLI_USAGE */
export function checkOptions(options: HardenOptions): void {
  const { facts, manifests, cluster, saveFacts, sign, output, list, only } = options;
  const refuse = (problem: string): never => {
    throw new NectarError('CLI_USAGE', { problem });
  };
  if ([facts, manifests, cluster].filter((source) => source !== undefined).length > 1)
    refuse('--facts, --manifests and --cluster are different sources: name one');
  if (facts !== undefined && saveFacts !== undefined)
    refuse('--save-facts saves what is collected, --facts collects nothing');
  if (sign === true && output === undefined) refuse('--sign needs a file to sign: name it with -o');
  if (list === true && (facts ?? manifests ?? cluster ?? output ?? saveFacts ?? only) !== undefined) {
    refuse('--list looks at nothing and writes no report');
  }
}
