import { readFile, stat } from 'node:fs/promises';
import { NectarError } from '../../../protocol/errors.ts';

const MAX_BYTES = 64 * 1024;
const DEFAULT_REGION = 'us-east-1';
const OTHERS_MAY_READ = 0o077;

/** What a file in the form of the AWS tools says: `key = value` lines, the first section of them. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
  /** Where the store listens; of AWS itself by the region. */
  readonly endpoint: URL;
  /** Certificate authorities, PEM, instead of the well-known ones. */
  readonly ca: string | undefined;
}

/** @throws NectarError CLI_FILE_UNREADABLE for a file that others may read, or that lacks what is needed; never with its content */
export async function readS3Credentials(path: string): Promise<S3Credentials> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason }, { cause });
  };
  let text = '';
  try {
    const { mode, size } = await stat(path);
    if ((mode & OTHERS_MAY_READ) !== 0) refuse('others may read it: chmod 600');
    if (size > MAX_BYTES) refuse('it is too large');
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof NectarError) throw error;
    refuse((error as NodeJS.ErrnoException).code ?? String(error), error);
  }
  const values = parseSection(text);
  const need = (key: string): string => values.get(key) ?? refuse(`it has no ${key}`);
  const region = values.get('region') ?? DEFAULT_REGION;
  const caPath = values.get('ca_bundle');
  return {
    accessKeyId: need('aws_access_key_id'),
    secretAccessKey: need('aws_secret_access_key'),
    sessionToken: values.get('aws_session_token'),
    region,
    endpoint: parseEndpoint(values.get('endpoint_url') ?? `https://s3.${region}.amazonaws.com`, refuse),
    ca:
      caPath === undefined
        ? undefined
        : await readFile(caPath, 'utf8').catch((error) => refuse('its ca_bundle', error)),
  };
}

function parseSection(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let sections = 0;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*\[/.test(line)) sections += 1;
    const [, key = '', value = ''] = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== '' && sections <= 1) values.set(key, value);
  }
  return values;
}

/** Without TLS only on this machine: a signature does not hide what it signs. */
function parseEndpoint(text: string, refuse: (reason: string) => never): URL {
  const url = URL.canParse(text) ? new URL(text) : refuse('its endpoint_url is no URL');
  const here = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && here)) refuse('its endpoint_url is not https');
  if (url.username !== '' || url.password !== '') refuse('its endpoint_url holds a secret');
  return url;
}
