import type { Benchmark, Profile } from '../../hardening/check.ts';
import type { FactSet } from '../../hardening/fact-set.ts';
import { MAX_REPORT_BYTES, parseReport } from '../../hardening/report/parse-report.ts';
import { createReport, type Report } from '../../hardening/report/report.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { isNodeHome } from '../home-folder.ts';
import type { Terminal } from '../terminal.ts';
import { readHistory } from './history.ts';
import type { HardenOptions } from './options.ts';
import { readNamedFile } from './read-file.ts';
import { askWaivers } from './waivers.ts';

/** Judges facts as the home they are of would: with what its log says is waived, after its earlier reports. */
export async function judge(
  { home, options, terminal }: Call<HardenOptions>,
  { benchmark, profile, facts }: { benchmark: Benchmark; profile: Profile; facts: FactSet },
): Promise<Report> {
  const own = await isOfHome(home, facts);
  const known = own ? await askWaivers({ home, signal: terminal.signal }) : { waivers: [] };
  const history = own
    ? (await readHistory(home)).map((kept) => {
        const { createdAt, profile: name, score, counts } = kept;
        return { createdAt, profile: name, score, counts };
      })
    : [];
  return createReport({
    ...{ benchmark, profile, facts, history },
    ...('reason' in known ? { waivers: [], waiversUnknown: known.reason } : known),
    now: () => terminal.now(),
    ...(options.threshold !== undefined && { threshold: options.threshold }),
  });
}

/** Whether facts are of the node of this home: another node has other waivers. */
export async function isOfHome(home: string, { node }: Pick<FactSet, 'node'>): Promise<boolean> {
  if (!isNodeHome(home)) return false;
  const { readPublicIdentity } = await import('../../appliance/config/identity.ts');
  try {
    return readPublicIdentity(home).nodeId === node.id;
  } catch (error) {
    // A home that is damaged so far waives nothing; what is wrong with it, the collectors say.
    if (error instanceof NectarError) return false;
    throw error;
  }
}

/** What decides the exit code: all that is bad, or with a baseline what was not bad there. */
export interface Decisive {
  readonly failed: readonly string[];
  readonly unseen: readonly string[];
}

/** The report that new ones are compared with. @throws NectarError CLI_FILE_UNREADABLE, HARDENING_REPORT_INVALID */
export async function readReport(terminal: Terminal, path: string): Promise<Report> {
  return parseReport(await readNamedFile(terminal, path, MAX_REPORT_BYTES), path);
}

/** A check that could not be looked at and fails now is new: nobody knew that it fails. */
export function decisive({ failed, unseen }: Decisive, baseline: Report | undefined): Decisive {
  if (baseline === undefined) return { failed, unseen };
  const before = new Map(baseline.results.map(({ check, verdict }) => [check, verdict]));
  return {
    failed: failed.filter((id) => before.get(id) !== 'fail'),
    unseen: unseen.filter((id) => !['fail', 'error'].includes(before.get(id) ?? '')),
  };
}

/** @throws NectarError HARDENING_FAILED, else HARDENING_INCOMPLETE: what failed is known, what was not seen is not */
export function requireGood({ failed, unseen }: Decisive, { profile: { threshold } }: Report): void {
  if (failed.length > 0) throw new NectarError('HARDENING_FAILED', { failed, threshold });
  if (unseen.length > 0) throw new NectarError('HARDENING_INCOMPLETE', { unseen, threshold });
}
