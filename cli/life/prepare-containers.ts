import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { isRenewalDue } from '../../appliance/gateway/tls.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { findGateway } from '../node-client.ts';
import { encodeArchive } from '../provision/docker/archive.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { withHelper } from '../provision/docker/helper.ts';
import { type DockerNode, readDockerNode } from '../provision/docker/node-spec.ts';
import { openEngine } from '../provision/docker/open-engine.ts';
import { ownedBy } from '../provision/docker/owned.ts';
import { NODE_HOME, objectName, UIDS } from '../provision/docker/role-table.ts';
import { withScratch } from '../provision/staging-folder.ts';
import type { Output } from '../render/output.ts';
import { isInteractive, type Terminal } from '../terminal.ts';
import { servedCertificate } from './examine-containers.ts';
import { renewCertificate } from './renew-certificate.ts';
import { clientTokenPath, isClientTokenDue, replaceClientToken } from './renew-client-token.ts';
import { findUnnamedHost, isOfNode } from './served-name.ts';
import { unlockKeys } from './unlock-keys.ts';
import { type OpenVolumes, withVolumes } from './volumes/open-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

export interface PrepareContainers {
  readonly home: string;
  readonly terminal: Terminal;
  readonly output: Output;
  readonly passphraseFile: string | undefined;
}

const STOP_MS = 15_000;
const PRIVATE = 0o600;

/**
 * Renews the gateway's certificate and the command line's token of a node in containers when their end is near. The CA's key is sealed, and no
 * container that has a network may open it: it is opened here, for this one use, by the key file or the passphrase. Whoever may not read
 * the key file keeps what there is; `doctor` says how long it lasts.
 */
export async function prepareContainers(request: PrepareContainers): Promise<readonly string[]> {
  const { home, terminal, output } = request;
  const node = readDockerNode(home);
  const engine = openEngine(terminal, node.target.engine);
  const gateway = objectName(node.spec.nodeId, 'gateway');
  const now = terminal.now();
  const isThere = (await ownedBy(node.spec.nodeId, engine).container(gateway)) !== undefined;
  if (!isThere && !(await isClientTokenDue(home, now))) return [];
  const served = await findServed(engine, node);
  const unnamed = served && (await findUnnamedHost(home, { gateway: node.config.gateway, certificate: served }));
  const due = {
    certificate: served === undefined || isRenewalDue(served, now) || unnamed !== undefined,
    token: await isClientTokenDue(home, now),
  };
  if (!due.certificate && !due.token) return [];
  const byPassphrase = node.config.keys.keyFile === '';
  if (byPassphrase && request.passphraseFile === undefined && (output.json || !isInteractive(terminal))) return [];
  try {
    await renew(engine, node, { request, due, gateway, names: unnamed === undefined ? [] : [unnamed] });
  } catch (error) {
    if (!isNectarError(error, 'KEY_FILE_PERMISSIONS')) throw error;
    output.note('certificate or token end soon: run `nectar-byon up` as a user that may read the key file');
    return [];
  }
  const renewed = (['certificate', 'token'] as const).filter((name) => due[name]);
  output.note(`renewed: ${renewed.join(', ')}`);
  return renewed;
}

/** What it shows, where it runs; else what lies in its volume. */
async function findServed(engine: Engine, node: DockerNode): Promise<string | undefined> {
  const url = await findGateway(node.home);
  const served = url === undefined ? undefined : await servedCertificate(node.home, url);
  // At an address that was just changed somebody else may answer.
  if (served !== undefined && isOfNode(served, await readFile(join(node.home, 'tls', 'ca.crt'), 'utf8'))) return served;
  const stored = await withVolumes(engine, node, (volumes) => volumes.read('gateway/tls/server.crt'));
  return stored === undefined ? undefined : Buffer.from(stored).toString('utf8');
}

interface Renewal {
  readonly request: PrepareContainers;
  readonly due: { readonly certificate: boolean; readonly token: boolean };
  readonly gateway: string;
  /** Further ones that the certificate is to be for. */
  readonly names: readonly string[];
}

async function renew(engine: Engine, node: DockerNode, { request, due, gateway, names }: Renewal): Promise<void> {
  const { home, terminal, passphraseFile } = request;
  await withScratch(join(home, 'run', 'renew'), async (staging) => {
    await withVolumes(engine, node, async (volumes) => {
      await stage(home, volumes, staging);
      const keys = await unlockKeys({ home: staging, terminal, passphraseFile });
      try {
        // The list of tokens is the gateway's as long as it runs.
        await engine.containers.stop(gateway, STOP_MS);
        await stage(home, volumes, staging);
        const now = (): number => terminal.now();
        if (due.certificate) await renewCertificate({ home: staging, keys, now: now(), names });
        if (due.token) await replaceClientToken({ home: staging, keys, now });
      } finally {
        await keys.stop();
      }
    });
    await putBack(engine, node, staging);
    if (due.token) await replaceFile(clientTokenPath(home), await readFile(clientTokenPath(staging)), PRIVATE);
  });
}

async function stage(home: string, volumes: OpenVolumes, staging: string): Promise<void> {
  await stageSmallFiles(home, volumes, staging);
  await makeFolders(join(staging, 'tls'));
  for (const name of ['server.crt', 'server.key']) {
    const bytes = await volumes.read(`gateway/tls/${name}`);
    if (bytes !== undefined) await writeFile(join(staging, 'tls', name), bytes, { mode: PRIVATE });
  }
}

async function putBack(engine: Engine, { spec }: DockerNode, staging: string): Promise<void> {
  const { nodeId, version, images } = spec;
  const target = `${NODE_HOME}/gateway`;
  const source = objectName(nodeId, 'gateway');
  const mounts = [{ kind: 'volume', source, target, readOnly: false }] as const;
  const uid = UIDS.gateway;
  await withHelper(engine, { nodeId, version, image: images.gateway, uid, mounts }, async (name) => {
    const file = async (path: string) => ({ path, uid, mode: PRIVATE, content: await readFile(join(staging, path)) });
    const files = await Promise.all(['tls/server.key', 'tls/server.crt', 'tokens.json'].map(file));
    const tar = await encodeArchive(files);
    try {
      await engine.containers.putArchive(name, target, tar);
    } finally {
      tar.fill(0);
    }
  });
}
