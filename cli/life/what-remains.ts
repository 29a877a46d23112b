import { findLastBackup } from './last-backup.ts';
import { knownRepositories } from './repository/known-repositories.ts';

/** What a node that is destroyed leaves behind, as far as its home knows. */
export interface Remains {
  readonly home: string;
  /** Repositories and files that hold copies of the node. */
  readonly backups: readonly string[];
  /** What opens them; undefined: a passphrase or another provider does. */
  readonly keyFile: string | undefined;
}

/** A damaged home may be destroyed as well: what it does not tell is not known. */
export async function findRemains(home: string, keyFile: string | undefined): Promise<Remains> {
  const repositories = await knownRepositories(home).catch(() => []);
  const last = await findLastBackup(home);
  const backups = [...repositories.map(({ target }) => target), ...(last === undefined ? [] : [last.file])];
  return { home, backups, keyFile };
}

/** What a person has to know before the node goes: what is lost, what stays, and what opens it. */
export function describeLoss({ home, backups, keyFile }: Remains, andKeyFile: boolean): string[] {
  const lost = `Lost for good: every record in ${home}, its replicas at other members, its audit log.`;
  const known = backups.length === 0 ? 'none is known here' : backups.join(', ');
  if (keyFile === undefined) return [lost, `Backups (${known}) stay readable with what opened the node.`];
  if (!andKeyFile) return [lost, `Backups (${known}) stay readable with the key file, which stays: ${keyFile}`];
  return [
    lost,
    `The key file ${keyFile} is overwritten. UNREADABLE FOR GOOD without another copy of it, a passphrase or a recovery kit: every backup of the node (${known}).`,
  ];
}
