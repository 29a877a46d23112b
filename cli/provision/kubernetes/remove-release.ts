import { rm } from 'node:fs/promises';
import { isNectarError } from '../../../protocol/errors.ts';
import type { Say } from '../../render/work.ts';
import type { Terminal } from '../../terminal.ts';
import { overwriteAndRemove } from '../process/overwrite.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { createHelm } from './helm.ts';
import { openKubectl } from './open-kubectl.ts';
import { selectorOf } from './release-labels.ts';
import { secretNames } from './release-names.ts';

const UNINSTALL_MS = 5 * 60_000;

export interface RemoveRelease {
  readonly home: string;
  readonly target: ClusterTarget;
  /** To be overwritten here; undefined: it stays, or a person opened the node. */
  readonly keyFile: string | undefined;
  readonly say: Say;
  readonly terminal: Terminal;
}

/**
 * Destroys a node in a cluster: first the Secret with the root key and the key file, without which the volumes hold ciphertext that
 * nobody opens, then the release, the volumes and the home. The namespace stays: others may live there.
 */
export async function removeRelease({ home, target, keyFile, say, terminal }: RemoveRelease): Promise<void> {
  await removeObjects({
    ...{ target, say, terminal },
    destroyKeys: async () => {
      if (keyFile !== undefined) await overwriteAndRemove(keyFile);
    },
  });
  await rm(home, { recursive: true, force: true });
}

/** The same of what the cluster has alone. */
export async function removeObjects({
  target,
  say,
  terminal,
  destroyKeys,
}: Pick<RemoveRelease, 'target' | 'say'> & {
  readonly terminal: Pick<Terminal, 'env' | 'signal'>;
  destroyKeys(): Promise<void>;
}): Promise<void> {
  const kubectl = openKubectl(target, terminal);
  const names = secretNames(target);
  say('destroying the keys');
  const first = [names.rootKey, names.identity];
  await kubectl.run(['delete', 'secret', ...first, '--ignore-not-found']);
  await destroyKeys();
  say('uninstalling the release');
  try {
    await createHelm(kubectl, terminal).run(['uninstall', target.release, '--wait', '--ignore-not-found'], {
      timeoutMs: UNINSTALL_MS,
    });
  } catch (error) {
    // A helm before 3.18 does not know how to ignore it.
    if (!isNectarError(error, 'CLUSTER_REFUSED') || !/not found/.test(error.data.reason)) throw error;
  }
  say('removing the volumes');
  await kubectl.run(['delete', 'secret', names.gatewayTls, ...Object.values(names.crossings), '--ignore-not-found']);
  await kubectl.run(['delete', 'persistentvolumeclaims', '-l', selectorOf(target.release), '--wait=false']);
}
