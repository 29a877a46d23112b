import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const SECRETS = { accessKeyId: 'AKIDTEST', secretAccessKey: 'a secret/of+tests', region: 'eu-test-1' };

/** A small object store: what a repository uses of S3, with the signature and the content's digest checked on every request. */
export interface S3Server {
  readonly endpoint: URL;
  readonly objects: Map<string, Buffer>;
  /** Answers that the next requests get instead. */
  readonly next: number[];
  /** How many keys a page of a listing holds. */
  pageSize: number;
  settings: { versioning?: boolean; lock?: boolean };
  close(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const next: number[] = [];
  const state: S3Server = {
    objects,
    next,
    pageSize: 3,
    settings: {},
    endpoint: new URL('http://127.0.0.1'),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const server = createServer((incoming, answer) => {
    void collect(incoming).then((body) => serve(state, { incoming, body, answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { endpoint: new URL(`http://127.0.0.1:${port}`) });
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly answer: ServerResponse;
}

function serve(state: S3Server, { incoming, body, answer }: Exchange): ServerResponse {
  const { method = '', url = '' } = incoming;
  const { pathname, searchParams } = new URL(url, state.endpoint);
  const [, bucket, ...rest] = pathname.split('/');
  const key = rest.join('/');
  const end = (status: number, text: string | Buffer = '') => answer.writeHead(status).end(text);
  const forced = state.next.shift();
  if (forced !== undefined) return end(forced, '<Error><Code>SlowDown</Code></Error>');
  if (!isSigned(incoming, body)) return end(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
  if (bucket !== 'bucket') return end(404, '<Error><Code>NoSuchBucket</Code></Error>');
  const found = state.objects.get(key);
  if (method === 'GET' && key === '') return end(200, describeBucket(state, searchParams));
  if (method === 'PUT') {
    if (incoming.headers['if-none-match'] === '*' && found !== undefined) return end(412);
    state.objects.set(key, body);
    return end(200);
  }
  if (method === 'DELETE') {
    state.objects.delete(key);
    return end(204);
  }
  if (found === undefined) return end(404, '<Error><Code>NoSuchKey</Code></Error>');
  return end(200, method === 'HEAD' ? '' : found);
}

function describeBucket({ objects, pageSize, settings }: S3Server, query: URLSearchParams): string {
  if (query.has('versioning'))
    return `<VersioningConfiguration>${settings.versioning === true ? '<Status>Enabled</Status>' : ''}</VersioningConfiguration>`;
  if (query.has('object-lock'))
    return `<ObjectLockConfiguration>${settings.lock === true ? '<ObjectLockEnabled>Enabled</ObjectLockEnabled>' : ''}</ObjectLockConfiguration>`;
  const prefix = query.get('prefix') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  const from = Number(query.get('continuation-token') ?? 0);
  const page = keys.slice(from, from + pageSize);
  const more = from + pageSize < keys.length;
  const contents = page.map((key) => `<Contents><Key>${key}</Key><Size>${objects.get(key)?.length}</Size></Contents>`);
  const token = more ? `<NextContinuationToken>${from + pageSize}</NextContinuationToken>` : '';
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}${token}</ListBucketResult>`;
}

/** Signature version 4, from its description: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function isSigned({ method = '', url = '', headers }: IncomingMessage, body: Buffer): boolean {
  const header = String(headers.authorization);
  const [, credential = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(header) ?? [];
  const [id, day = '', region = ''] = credential.split('/');
  const digest = String(headers['x-amz-content-sha256']);
  if (id !== SECRETS.accessKeyId || region !== SECRETS.region || sha256(body) !== digest) return false;
  const { pathname, searchParams } = new URL(url, 'http://x');
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const lines = signed
    .split(';')
    .map((name) => `${name}:${String(headers[name])}\n`)
    .join('');
  const canonical = [method, pathname, query, lines, signed, digest].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(Buffer.from(canonical))].join('\n');
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const secret = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (key, part) => hmac(key, part),
    `AWS4${SECRETS.secretAccessKey}`,
  );
  return hmac(secret, toSign).toString('hex') === signature;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
