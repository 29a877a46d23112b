import { Readable } from 'node:stream';
import { AwsV4Signer } from 'aws4fetch';
import { Agent, type Dispatcher, request } from 'undici';
import { TABLES } from '../../../protocol/backup/repository.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { S3Credentials } from './s3-credentials.ts';
import { listedKeys, listedVersions, nextToken, s3ErrorCode } from './s3-xml.ts';
import { sendAgain } from './send-again.ts';
import type { ObjectContent, Target } from './target.ts';

const CONNECT_MS = 10_000;
const ANSWER_MS = 120_000;
/** Of one PUT; what is larger needs an upload in parts, which only a key table of some 3 million records would. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;
const MAX_LISTING_BYTES = 16 * 1024 * 1024;
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** Told to come again: slow down, a race of two writers, a server that restarts. */
const PASSING = new Set([409, 429, 500, 502, 503, 504]);

interface Sent {
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: ObjectContent;
}

/**
 * A repository in an object store that speaks S3: signature version 4, path-style, conditional writes. Objects are whole PUTs with
 * their SHA-256 signed, so that what arrives is what was sent.
 */
export function createS3Target(url: string, credentials: S3Credentials, signal: AbortSignal): Target {
  const { bucket, prefix } = parsePlace(url);
  const { endpoint, ca } = credentials;
  const agent = new Agent({
    connect: { timeout: CONNECT_MS, ...(ca !== undefined && { ca }) },
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  });
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('BACKUP_TARGET_REFUSED', { target: url, reason }, { cause });
  };

  async function once(method: Dispatcher.HttpMethod, sent: Sent): Promise<Dispatcher.ResponseData> {
    const where = new URL(endpoint);
    const key = sent.key === undefined ? '' : `/${prefix}${sent.key}`;
    where.pathname = `${endpoint.pathname.replace(/\/$/, '')}/${bucket}${key}`;
    for (const [name, value] of Object.entries(sent.query ?? {})) where.searchParams.set(name, value);
    const { accessKeyId, secretAccessKey, sessionToken, region } = credentials;
    const headers = { ...sent.headers, 'X-Amz-Content-Sha256': sent.content?.sha256 ?? EMPTY_SHA256 };
    const signed = await new AwsV4Signer({
      ...{ method, url: where.href, headers, accessKeyId, secretAccessKey, region, service: 's3' },
      ...(sessionToken !== undefined && { sessionToken }),
    }).sign();
    const lengths = sent.content === undefined ? {} : { 'content-length': String(sent.content.bytes) };
    return request(signed.url, {
      method,
      headers: { ...Object.fromEntries(signed.headers), ...lengths },
      body: sent.content === undefined ? null : Readable.from(sent.content.read(), { objectMode: false }),
      dispatcher: agent,
      signal,
    });
  }

  const send = (method: Dispatcher.HttpMethod, sent: Sent): Promise<Dispatcher.ResponseData> =>
    sendAgain(() => once(method, sent), { passing: PASSING, signal, refuse });

  async function refused(answer: Dispatcher.ResponseData): Promise<never> {
    const code = s3ErrorCode(await textOf(answer));
    return refuse(`${answer.statusCode}${code === undefined ? '' : ` ${code}`}`);
  }

  async function text(query: Record<string, string>): Promise<string | undefined> {
    const answer = await send('GET', { query });
    if (answer.statusCode === 200) return textOf(answer);
    await answer.body.dump();
    return undefined;
  }

  async function* list(folder: string): AsyncGenerator<{ name: string; bytes: number }> {
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const query = {
        'list-type': '2',
        prefix: `${prefix}${folder}`,
        ...(token !== undefined && { 'continuation-token': token }),
      };
      const answer = await send('GET', { query });
      if (answer.statusCode !== 200) await refused(answer);
      const page = await textOf(answer);
      for (const { key, bytes } of listedKeys(page)) yield { name: key.slice(prefix.length), bytes };
      token = nextToken(page);
    }
  }

  async function remove(name: string, query: Record<string, string> = {}): Promise<void> {
    const answer = await send('DELETE', { key: name, query });
    if (![200, 204, 404].includes(answer.statusCode)) await refused(answer);
    await answer.body.dump();
  }

  const keepsVersions = async (): Promise<boolean> =>
    /<Status>(Enabled|Suspended)<\/Status>/.test((await text({ versioning: '' })) ?? '');

  return {
    url,
    list,
    async *read(name) {
      const answer = await send('GET', { key: name });
      if (answer.statusCode === 404) {
        await answer.body.dump();
        throw new NectarError('BACKUP_OBJECT_MISSING', { object: name });
      }
      if (answer.statusCode !== 200) await refused(answer);
      yield* answer.body as AsyncIterable<Uint8Array>;
    },
    async create(name, content) {
      if (content.bytes > MAX_PUT_BYTES) refuse(`an object of ${content.bytes} bytes is more than one PUT takes`);
      const answer = await send('PUT', { key: name, content, headers: { 'if-none-match': '*' } });
      if (answer.statusCode === 412) {
        await answer.body.dump();
        return false;
      }
      if (answer.statusCode !== 200) await refused(answer);
      await answer.body.dump();
      return true;
    },
    async remove(name) {
      await remove(name);
      // A store that keeps versions would keep what opened a destroyed record: each one goes by its id.
      if (!name.startsWith(TABLES) || !(await keepsVersions())) return;
      const page = await text({ versions: '', prefix: `${prefix}${name}` });
      for (const { key, version } of listedVersions(page ?? ''))
        if (key === `${prefix}${name}`) await remove(name, { versionId: version });
    },
    settle: async () => undefined,
    async warnings() {
      const locked = /<ObjectLockEnabled>Enabled<\/ObjectLockEnabled>/.test((await text({ 'object-lock': '' })) ?? '');
      return [
        ...(locked
          ? ['This bucket locks objects: an old key table may stay, and with it what opens destroyed records.']
          : []),
        ...((await keepsVersions())
          ? [
              'This bucket keeps versions: old key tables are removed by version; do not replicate the bucket elsewhere.',
            ]
          : []),
      ];
    },
    close: () => agent.close(),
  };
}

/** @throws NectarError CLI_USAGE for what is no s3://BUCKET/PREFIX */
function parsePlace(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/.exec(url) ?? [];
  if (bucket === undefined || path.split('/').includes('..'))
    throw new NectarError('CLI_USAGE', { problem: `${url} is not s3://BUCKET/PREFIX` });
  const prefix = path.replace(/^\/+|\/+$/g, '');
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
}

async function textOf(answer: Dispatcher.ResponseData): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_LISTING_BYTES)
      throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'an answer is too large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
