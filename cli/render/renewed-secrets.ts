import type { RenewedSecrets } from '../life/renew-secrets.ts';
import { printable } from './table.ts';

const ROTATION: Readonly<Record<RenewedSecrets['crossings']['rotation'], string>> = {
  none: '',
  announced:
    'The next authority between the roles is announced in every ca.crt. When each role has read its files, `crossings rotate --emit` again moves to it.',
  moved:
    'The certificates of the roles are of the new authority. When each role has read its files, `crossings rotate --emit` again forgets the one before.',
};

/** What was made, and what is to be applied where. */
export function renderRenewedSecrets(renewed: RenewedSecrets): string {
  const { namespace, api, crossings, authority, files } = renewed;
  const lines = [
    ...(api === undefined ? [] : [`the certificate of the API, until ${api}`]),
    `those of the roles between one another, until ${crossings.notAfter}`,
    '',
    'Nothing is in the cluster yet. Apply them, or bring them to your vault under the same names:',
    `  kubectl -n ${namespace} apply --server-side --force-conflicts \\`,
    files.map((file) => `    -f ${quoted(file)}`).join(' \\\n'),
    'No pod restarts: each takes its files within seconds of their arrival, which the kubelet may delay by a minute or two.',
  ];
  if (ROTATION[crossings.rotation] !== '') lines.push(ROTATION[crossings.rotation]);
  if (crossings.isNew)
    lines.push(
      'The folder had no authority of the roles, so that theirs is a new one: until each has its files, they refuse one another, and callers get NODE_NOT_READY. Keep crossings/ of the folder: from now on there is no such gap.',
    );
  if (authority) lines.push("Give your clients the home's tls/ca.crt: it is another one, of the same key.");
  return lines.join('\n');
}

/** As a shell reads it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${printable(path).replaceAll("'", `'\\''`)}'`;
}
