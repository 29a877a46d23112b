import { resolve } from 'node:path';
import { Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import type { KnownRepository } from '../life/repository/known-repositories.ts';
import type { Terminal } from '../terminal.ts';

export function credentialsOption(): Option {
  return new Option(
    '--credentials <file>',
    'of an s3:// place: aws_access_key_id, aws_secret_access_key, endpoint_url, ...; of a node:// place: what `custody grant` wrote',
  );
}

export function credentialsOf(
  terminal: Pick<Terminal, 'workingFolder'>,
  { credentials }: { readonly credentials?: string | undefined },
): string | undefined {
  return credentials === undefined ? undefined : resolve(terminal.workingFolder, credentials);
}

/** The one that is named, else the only one that the home knows. @throws NectarError CLI_USAGE */
export async function chooseRepository(call: Call<unknown>): Promise<KnownRepository> {
  const { home, operands, terminal } = call;
  requireHome(home);
  const { knownRepositories } = await import('../life/repository/known-repositories.ts');
  const { targetPlace } = await import('../life/repository/open-target.ts');
  const known = await knownRepositories(home);
  const [named] = operands;
  if (named !== undefined) {
    const target = targetPlace(terminal, named);
    const found = known.find((one) => one.target === target);
    if (found === undefined)
      throw new NectarError('CLI_USAGE', { problem: `this node was never backed up to ${target}` });
    return found;
  }
  const [only, ...others] = known;
  if (only === undefined) throw new NectarError('CLI_USAGE', { problem: 'make a backup first: backup --to PLACE' });
  if (others.length > 0) {
    const places = known.map(({ target }) => target).join(', ');
    throw new NectarError('CLI_USAGE', { problem: `say which one: ${places}` });
  }
  return only;
}
