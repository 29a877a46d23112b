import { diskError } from '../../../appliance/durable-file.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** What making a home met, in the words of the command: the disk is full, the place is taken, or not this user's to write. */
export function homeError(error: unknown, home: string): unknown {
  const known = diskError(error, home);
  if (known instanceof NectarError) return known;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOTEMPTY' || code === 'EEXIST') return new NectarError('CLI_HOME_EXISTS', { home }, { cause: error });
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR') {
    return new NectarError('CLI_HOME_UNWRITABLE', { home, reason: code }, { cause: error });
  }
  return error;
}
