import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolders } from '../../appliance/make-folders.ts';
import { NectarError } from '../../protocol/errors.ts';
import { requireClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { openKubectl } from '../provision/kubernetes/open-kubectl.ts';
import { readPods } from '../provision/kubernetes/pod-states.ts';
import { type OfflineVerification, verifyOffline } from '../provision/process/verify-offline.ts';
import { withScratch } from '../provision/staging-folder.ts';
import { withClusterVolumes } from './volumes/cluster-volumes.ts';
import type { OpenVolumes } from './volumes/open-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

type Verdict = Awaited<ReturnType<typeof verifyOffline>>;

/** Names that the log gives to its files: nothing else of a volume gets a place here. */
const LOG_FILE = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/**
 * Verifies the audit log of a node in a cluster that is down: read through a pod that has the volume alone, into a scratch folder of the
 * home, and verified there, with the keys that the home opens. undefined: a pod of the audit role is there, which writes the log.
 *
 * @throws NectarError CLUSTER_RELEASE_MISSING, CLUSTER_REFUSED, CLUSTER_POD_FAILED
 */
export async function verifyCluster(request: OfflineVerification): Promise<Verdict | undefined> {
  const { home, terminal } = request;
  const target = requireClusterTarget(home);
  const pods = await readPods(openKubectl(target, terminal), target);
  if (pods.some(({ role }) => role === 'audit')) return undefined;
  return withScratch(join(home, 'run', 'verify'), async (scratch) => {
    await withClusterVolumes({ home, terminal }, async (volumes) => {
      await stageSmallFiles(home, volumes, scratch);
      request.say('fetching the log');
      await fetchLog(volumes, join(scratch, 'audit'));
    });
    return verifyOffline({ ...request, home: scratch });
  });
}

async function fetchLog(volumes: OpenVolumes, folder: string): Promise<void> {
  await makeFolders(folder, 0o700);
  for await (const { path, content } of volumes.files('audit')) {
    if (!LOG_FILE.test(path)) throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: path });
    const file = join(folder, path);
    await makeFolders(dirname(file), 0o700);
    await pipeline(Readable.from(content()), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  }
}
