import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import type { Answer, Client } from './client.ts';
import { writeOutputFile, writing } from './output-file.ts';
import { openPartial, PARTIAL_BYTES, type PartialFile, partPaths } from './partial-file.ts';
import type { KeptPart } from './partial-note.ts';
import { countBytes, showByteProgress } from './render/progress.ts';
import { formatBytes } from './render/quantities.ts';
import { identityOf, isSame, type OpenDownload, openResumable, type ResumableGet } from './resumable-get.ts';

export interface ReceiveFile {
  readonly record: string;
  readonly version?: number | undefined;
  readonly target: string;
  readonly force: boolean;
  /** Of what size on an unfinished download is kept. */
  readonly keptFrom?: number;
}

export interface Received {
  readonly headers: Answer['headers'];
  /** Of the whole content. */
  readonly bytes: number;
  /** Bytes of them that an earlier run had fetched. */
  readonly resumedAt: number;
}

/**
 * Fetches a record into a file, in as many requests, and runs of the command, as it takes. A small one is staged and is begun anew; of
 * a large one the part that arrived is kept beside the target, with a note of the version that it is of.
 */
export async function receiveFile(call: Call<unknown>, client: Client, wanted: ReceiveFile): Promise<Received> {
  const { target, force } = wanted;
  if (!force && existsSync(target)) throw new NectarError('CLI_OUTPUT_EXISTS', { path: target });
  // Most files are small, and need no lock.
  const left = existsSync(partPaths(target).note) ? await openPartial(call.home, target) : undefined;
  try {
    const resumed = left === undefined ? undefined : await goOn(call, client, { ...wanted, partial: left });
    if (resumed !== undefined) return resumed;
    return await begin(call, client, { ...wanted, partial: left });
  } finally {
    await left?.release();
  }
}

type Attempt = ReceiveFile & { readonly partial: PartialFile | undefined };

async function begin(call: Call<unknown>, client: Client, wanted: Attempt): Promise<Received> {
  const download = await openResumable(client, getOf(call, wanted));
  const { headers, bytes } = download;
  const { keptFrom = PARTIAL_BYTES } = wanted;
  const opened =
    wanted.partial === undefined && bytes >= keptFrom ? await openPartial(call.home, wanted.target) : undefined;
  const partial = wanted.partial ?? opened;
  try {
    if (partial === undefined || bytes < keptFrom) {
      await staged(call, wanted, download);
      await partial?.discard();
    } else {
      await intoPart(call, { ...wanted, partial }, { download, from: { done: 0, crc: 0 } });
      await publishPart(wanted, partial);
    }
    return { headers, bytes, resumedAt: 0 };
  } finally {
    await opened?.release();
  }
}

async function staged(
  call: Call<unknown>,
  { target, record, force }: ReceiveFile,
  { body, bytes }: OpenDownload,
): Promise<void> {
  const progress = await showByteProgress(call.terminal, record.slice(0, 8), bytes, call.output.json);
  try {
    await writeOutputFile(target, countBytes(body, progress), force);
  } finally {
    progress.done();
  }
}

type WithPart = ReceiveFile & { readonly partial: PartialFile };

/** Goes on with what an earlier run left; undefined, and nothing of it left, when there is nothing to go on with. */
async function goOn(call: Call<unknown>, client: Client, wanted: WithPart): Promise<Received | undefined> {
  const { partial } = wanted;
  const found = await findKept(call, client, wanted);
  if (typeof found === 'string') {
    call.output.note(`${found}: beginning anew`);
    await partial.discard();
    return undefined;
  }
  const { kept, headers } = found;
  const { done, bytes, version } = kept;
  call.output.note(`an earlier run had fetched ${formatBytes(done)} of ${formatBytes(bytes)}; going on there`);
  if (done < bytes) {
    const download = await openResumable(client, { ...getOf(call, wanted), version, range: `bytes=${done}-` });
    if (!isSame(download.identity, kept)) throw new NectarError('CLI_RECORD_CHANGED', { version });
    await intoPart(call, wanted, { download, from: kept });
  }
  await checkDigest(partial, headers);
  await publishPart(wanted, partial);
  return { headers, bytes, resumedAt: done };
}

/** What an earlier run kept of the very version that is wanted, with its headers of now; or why it is of no use. */
async function findKept(
  call: Call<unknown>,
  client: Client,
  wanted: WithPart,
): Promise<{ kept: KeptPart; headers: Answer['headers'] } | string> {
  const { partial, record, version } = wanted;
  const kept = await partial.kept();
  if (kept === undefined) return `what an earlier run left in ${partial.path} cannot be gone on with`;
  if (kept.recordId !== record || (version ?? kept.version) !== kept.version)
    return `what an earlier run left in ${partial.path} is of another record or version`;
  const headers = await headOf(client, kept, wanted);
  if (headers === undefined) return 'the record is not the version any more that an earlier run began with';
  if (await isWhole(call, partial, kept)) return { kept, headers };
  return `what an earlier run left in ${partial.path} is damaged`;
}

/** The headers of the version that the command means, if it is still the one that was begun; what is gone is begun anew, and refused there. */
async function headOf(
  client: Client,
  kept: KeptPart,
  { record, version }: ReceiveFile,
): Promise<Answer['headers'] | undefined> {
  const path = `/v1/records/${record}${version === undefined ? '' : `?version=${version}`}`;
  try {
    const headers = await client.headers('HEAD', path, { headers: { 'want-repr-digest': 'sha-256=10, sha-512=5' } });
    const { identity } = identityOf({ statusCode: 200, headers }, Number(headers['content-length']));
    return isSame(identity, kept) ? headers : undefined;
  } catch (error) {
    if (error instanceof NectarError && isGone(error)) return undefined;
    throw error;
  }
}

/** A HEAD answers without a body, so without a code of ours. */
function isGone({ code, data }: NectarError): boolean {
  return code === 'CLI_GATEWAY_PROBLEM' && [404, 410].includes((data as { status: number }).status);
}

async function isWhole({ terminal, output }: Call<unknown>, partial: PartialFile, kept: KeptPart): Promise<boolean> {
  const progress = await showByteProgress(terminal, 'checking', kept.done, output.json);
  try {
    return await partial.isWhole(kept, (count) => progress.advance(count), terminal.signal);
  } finally {
    progress.done();
  }
}

async function intoPart(
  { terminal, output }: Call<unknown>,
  { record, partial }: WithPart,
  { download, from }: { download: OpenDownload; from: Pick<KeptPart, 'done' | 'crc'> },
): Promise<void> {
  const { identity, body } = download;
  const progress = await showByteProgress(terminal, record.slice(0, 8), identity.bytes, output.json);
  progress.advance(from.done);
  try {
    await writing(partial.path, () => partial.write({ recordId: record, identity }, from, countBytes(body, progress)));
  } catch (error) {
    if ((await partial.kept()) !== undefined)
      output.note(`what arrived is in ${partial.path}; the same command goes on there`);
    throw error;
  } finally {
    progress.done();
  }
}

/** RFC 9530: what was proven of the content when it was stored, if a digest came with it. */
async function checkDigest(partial: PartialFile, headers: Answer['headers']): Promise<void> {
  const [, name, expected] = /(sha-256|sha-512)=:([A-Za-z0-9+/=]+):/.exec(String(headers['repr-digest'] ?? '')) ?? [];
  if (name === undefined || expected === undefined) return;
  const hash = createHash(name.replace('-', ''));
  for await (const piece of partial.read()) hash.update(piece);
  if (hash.digest('base64') === expected) return;
  await partial.discard();
  throw new NectarError('CLI_DOWNLOAD_DAMAGED', { path: partial.path });
}

async function publishPart({ target, force }: ReceiveFile, partial: PartialFile): Promise<void> {
  await writing(target, () => partial.publish(force ? 'replace' : 'create'));
}

function getOf({ terminal, output }: Call<unknown>, { record, version }: ReceiveFile): ResumableGet {
  return {
    path: `/v1/records/${record}`,
    version,
    signal: terminal.signal,
    onBroken: (reason, at) => output.note(`${reason} after ${formatBytes(at)}; going on where it was`),
  };
}
