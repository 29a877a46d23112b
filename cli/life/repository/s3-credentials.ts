import { readFile } from 'node:fs/promises';
import { readCredentialsFile } from './credentials-file.ts';

const DEFAULT_REGION = 'us-east-1';

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
  const { find, need, refuse } = await readCredentialsFile(path);
  const region = find('region') ?? DEFAULT_REGION;
  const caPath = find('ca_bundle');
  return {
    accessKeyId: need('aws_access_key_id'),
    secretAccessKey: need('aws_secret_access_key'),
    sessionToken: find('aws_session_token'),
    region,
    endpoint: parseEndpoint(find('endpoint_url') ?? `https://s3.${region}.amazonaws.com`, refuse),
    ca:
      caPath === undefined
        ? undefined
        : await readFile(caPath, 'utf8').catch((error) => refuse('its ca_bundle', error)),
  };
}

/** Without TLS only on this machine: a signature does not hide what it signs. */
function parseEndpoint(text: string, refuse: (reason: string) => never): URL {
  const url = URL.canParse(text) ? new URL(text) : refuse('its endpoint_url is no URL');
  const here = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && here)) refuse('its endpoint_url is not https');
  if (url.username !== '' || url.password !== '') refuse('its endpoint_url holds a secret');
  return url;
}
