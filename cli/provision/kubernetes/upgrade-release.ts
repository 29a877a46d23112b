import { join } from 'node:path';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Output } from '../../render/output.ts';
import { showWork } from '../../render/work.ts';
import type { Terminal } from '../../terminal.ts';
import { VERSION } from '../../version.ts';
import { bringUpCluster, type ClusterUp } from './bring-up.ts';
import { type ClusterTarget, requireClusterTarget, writeClusterTarget } from './cluster-target.ts';
import { createHelm } from './helm.ts';
import { VALUES } from './init-kubernetes.ts';
import { openKubectl } from './open-kubectl.ts';

export interface UpgradeRelease {
  readonly home: string;
  readonly passphraseFile: string | undefined;
  readonly timeoutMs: number;
  readonly terminal: Terminal;
  readonly output: Output;
}

/** Long enough for helm to send the chart; the pods are waited for afterwards, with their own words. */
const HELM_MS = 5 * 60_000;

/**
 * Upgrades a release to the chart and images of this program; goes back by itself when that does not become ready. Values that the
 * site gave at the install stay, those of the home come over them.
 */
export async function upgradeRelease(request: UpgradeRelease): Promise<ClusterUp> {
  const { home, terminal, output } = request;
  const target = requireClusterTarget(home);
  const helm = createHelm(openKubectl(target, terminal), terminal);
  await showWork(terminal, output, 'upgrading the release', () =>
    helm.run(
      [
        ...['upgrade', target.release, target.chart, '--reset-then-reuse-values'],
        ...[`--values=${join(home, VALUES)}`, `--set=image.tag=${VERSION}`],
      ],
      { timeoutMs: HELM_MS },
    ),
  );
  try {
    const up = await bringUpCluster(request);
    await writeClusterTarget(home, { ...requireClusterTarget(home), programVersion: VERSION });
    return up;
  } catch (error) {
    if (terminal.signal.aborted || !(error instanceof NectarError)) throw error;
    output.note(`it does not become ready: going back (${error.message})`);
    await rollBackRelease(request);
    throw error;
  }
}

/** Undoes the last upgrade. @throws NectarError CLUSTER_REFUSED where there was none */
export async function rollBackRelease(request: UpgradeRelease): Promise<ClusterUp & { readonly version: string }> {
  const { home, terminal, output } = request;
  const target: ClusterTarget = requireClusterTarget(home);
  const helm = createHelm(openKubectl(target, terminal), terminal);
  await showWork(terminal, output, 'going back', () => helm.run(['rollback', target.release], { timeoutMs: HELM_MS }));
  const version = await imageTag(() => helm.run(['get', 'values', target.release, '--all', '--output=json']));
  await writeClusterTarget(home, { ...target, programVersion: version ?? target.programVersion });
  return { ...(await bringUpCluster(request)), version: version ?? 'the revision before' };
}

async function imageTag(read: () => Promise<string>): Promise<string | undefined> {
  try {
    const { image } = JSON.parse(await read()) as { image?: { tag?: unknown } };
    return typeof image?.tag === 'string' && image.tag !== '' ? image.tag : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isNectarError(error)) return undefined;
    throw error;
  }
}
