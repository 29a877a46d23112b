import { resolve } from 'node:path';
import type { Keys } from '../../appliance/keys/index.ts';
import type { Call } from '../call.ts';
import { type ClusterOptions, clusterChoice } from '../cluster-options.ts';
import { devnetFolder } from '../home-folder.ts';
import type { Restored, RestorePlace, RestoreRequest } from '../life/backup/restore-home.ts';
import type { Target } from '../life/repository/target.ts';
import { VERSION } from '../version.ts';
import { credentialsOf } from './choose-repository.ts';

/** Options of the commands that make a node again. */
export interface RestoreOptions extends ClusterOptions {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  /** Decrypted shares of a recovery kit. */
  readonly share: readonly string[];
  readonly check?: boolean;
  readonly target: 'process' | 'docker' | 'kubernetes';
  readonly engine?: string;
  readonly snapshot?: number;
  /** Where a newer log is. */
  readonly log?: string;
  readonly over?: boolean;
  readonly credentials?: string;
}

export function restoreRequest(
  { home, options, operands, terminal }: Call<RestoreOptions>,
  onBytes: (bytes: number) => void,
): RestoreRequest {
  const file = resolve(terminal.workingFolder, operands[0] ?? '');
  const keyFile = options.keyFile === undefined ? undefined : resolve(terminal.workingFolder, options.keyFile);
  const { passphraseFile } = options;
  return {
    ...{ file, home, keyFile, check: options.check === true },
    ...{ signal: terminal.signal, now: () => terminal.now(), onBytes },
    async unlock(folder) {
      const { unlockKeys } = await import('../life/unlock-keys.ts');
      return unlockKeys({ home: folder, terminal, keyFile, passphraseFile, shares: options.share });
    },
  };
}

/** Restores from a repository, which the new home then knows: an older copy of it will be noticed. */
export async function restoreFromRepository(
  call: Call<RestoreOptions>,
  request: RestoreRequest & { readonly replace?: Replace },
): Promise<Restored> {
  const { restoreSnapshot } = await import('../life/repository/restore-snapshot.ts');
  const { rememberRepository } = await import('../life/repository/known-repositories.ts');
  return withRepository(call, async (target, unlock) => {
    const { options, terminal } = call;
    const from = { target, generation: options.snapshot, blocks: true, unlock };
    const restored = await restoreFromFile(call, request, async (place) => {
      const done = await restoreSnapshot({ ...request, ...from, ...place });
      if (!request.check) {
        const { repository, generation, noteSha256, createdAt } = done.newest;
        const credentials = credentialsOf(terminal, options);
        const known = { target: target.url, repository, generation, noteSha256, createdAt };
        await rememberRepository(place.into ?? place.home, {
          ...known,
          ...(credentials !== undefined && { credentials }),
        });
      }
      return done;
    });
    return restored;
  });
}

/** Opens the repository that a call names, and says how to open the keys that it holds. */
export async function withRepository<T>(
  { options, operands, terminal }: Call<RestoreOptions>,
  work: (target: Target, unlock: (folder: string) => Promise<Keys>) => Promise<T>,
): Promise<T> {
  const { openTarget, targetPlace } = await import('../life/repository/open-target.ts');
  const { unlockKeys } = await import('../life/unlock-keys.ts');
  const place = { target: targetPlace(terminal, operands[0] ?? ''), credentials: credentialsOf(terminal, options) };
  const { passphraseFile } = options;
  // The configuration, which names the key file, is sealed in a repository.
  const keyFile = options.keyFile === undefined ? '' : resolve(terminal.workingFolder, options.keyFile);
  const target = await openTarget(place, terminal.signal);
  try {
    return await work(target, (home) => unlockKeys({ home, terminal, keyFile, passphraseFile, shares: options.share }));
  } finally {
    await target.close();
  }
}

/** What a restore over a damaged home does once the backup is verified. */
export type Replace = (() => Promise<void>) | undefined;

/** From one file, or by `restoreInto`, to a process, into containers or into a cluster. */
export async function restoreFromFile(
  { options, terminal }: Call<RestoreOptions>,
  { replace, ...request }: RestoreRequest & { readonly replace?: Replace },
  restoreInto?: (place: RestorePlace) => Promise<Restored>,
): Promise<Restored> {
  if (options.target === 'process' || request.check) {
    if (restoreInto !== undefined) return restoreInto({ home: request.home });
    const { restoreHome } = await import('../life/backup/restore-home.ts');
    return restoreHome(request);
  }
  const into = restoreInto === undefined ? {} : { restoreInto };
  if (options.target === 'kubernetes') {
    const { placeOf } = await import('../provision/kubernetes/plan-kubernetes.ts');
    const { restoreCluster } = await import('../life/restore-cluster.ts');
    return restoreCluster({ ...request, ...into, cluster: placeOf(clusterChoice(options, terminal)), terminal });
  }
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const { restoreContainers } = await import('../life/restore-containers.ts');
  const devnet = devnetFolder(terminal, undefined);
  const engine = openEngine(terminal, options.engine);
  return restoreContainers({ ...request, ...into, engine, version: VERSION, devnet, replace });
}
