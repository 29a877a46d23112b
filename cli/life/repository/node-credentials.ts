import { X509Certificate } from 'node:crypto';
import { readCredentialsFile } from './credentials-file.ts';

/** What opens a repository at another node: the file that `custody grant` wrote there. */
export interface NodeCredentials {
  readonly token: string;
  /** PEM of that node's own authority: the only one that is trusted. */
  readonly ca: string;
}

export function encodeNodeCredentials({ token, ca }: NodeCredentials, about: string): string {
  return [
    ...about.split('\n').map((line) => `# ${line}`),
    '[nectar-byon]',
    `token = ${token}`,
    `ca = ${Buffer.from(ca).toString('base64')}`,
    '',
  ].join('\n');
}

/** @throws NectarError CLI_FILE_UNREADABLE */
export async function readNodeCredentials(path: string): Promise<NodeCredentials> {
  const file = await readCredentialsFile(path);
  const token = file.need('token');
  if (!/^[A-Za-z0-9._~+/-]{16,2048}$/.test(token)) file.refuse('its token is malformed');
  const ca = Buffer.from(file.need('ca'), 'base64').toString('utf8');
  try {
    new X509Certificate(ca);
  } catch (cause) {
    file.refuse('its ca is no certificate', cause);
  }
  return { token, ca };
}
