import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { readPublicIdentity } from '../../../appliance/config/index.ts';
import { AdoptedEntries } from '../../../appliance/gateway/record-schemas.ts';
import type { Client } from '../../client.ts';
import { withScratch } from '../../provision/staging-folder.ts';
import type { Terminal } from '../../terminal.ts';
import { withAuthority } from '../backup-authority.ts';
import { type BackupEntries, openFileEntries, openRepositoryEntries } from './backup-entries.ts';
import { findKnown } from './known-repositories.ts';
import { isRepository, openTarget, targetPlace } from './open-target.ts';

export interface TakeBackEntries {
  readonly home: string;
  readonly terminal: Terminal;
  readonly client: Client;
  /** A repository, or a file of `backup --out`. */
  readonly from: string;
  readonly credentials: string | undefined;
}

export type TakenBackEntries = Pick<AdoptedEntries, 'offered' | 'adopted' | 'refused'>;

/** Offers the running node what a backup has of its index: it takes what it lacks, and what its log vouches for. */
export function takeBackEntries(request: TakeBackEntries): Promise<TakenBackEntries> {
  const { home, terminal, from } = request;
  return withScratch(join(home, 'run', 'fsck'), async (scratch) => {
    if (await isRepository(terminal, from)) return fromRepository(request, scratch);
    const entries = await openFileEntries(resolve(terminal.workingFolder, from), scratch);
    try {
      return await offer(request.client, entries);
    } finally {
      await entries.close();
    }
  });
}

async function fromRepository(request: TakeBackEntries, scratch: string): Promise<TakenBackEntries> {
  const { home, terminal, client } = request;
  const place = targetPlace(terminal, request.from);
  const credentials = request.credentials ?? (await findKnown(home, place))?.credentials;
  const target = await openTarget({ target: place, credentials }, terminal.signal);
  const { checkpointVkey } = readPublicIdentity(home);
  try {
    return await withAuthority({ home, terminal, passphraseFile: undefined }, async ({ repositoryKey }) =>
      offer(client, await openRepositoryEntries({ target, checkpointVkey, scratch, repositoryKey })),
    );
  } finally {
    await target.close();
  }
}

async function offer(client: Client, entries: BackupEntries): Promise<TakenBackEntries> {
  const versions = await send(client, entries.versions());
  const blobs = versions.wanted.length === 0 ? undefined : await send(client, entries.blobs(new Set(versions.wanted)));
  return {
    offered: versions.offered,
    adopted: versions.adopted,
    refused: versions.refused + (blobs?.refused ?? 0),
  };
}

function send(client: Client, frames: AsyncIterable<Uint8Array>): Promise<AdoptedEntries> {
  const headers = { 'content-type': 'application/octet-stream' };
  const body = Readable.from(frames, { objectMode: false });
  return client.send(AdoptedEntries, 'POST', '/v1/fsck/entries', { body, headers });
}
