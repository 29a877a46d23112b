import { NectarError } from '../../protocol/errors.ts';

/** @throws NectarError CLI_SERVICE_REFUSED */
export function refuseService(by: string, cause: unknown): never {
  const code = (cause as NodeJS.ErrnoException).code;
  const said = cause instanceof Error ? (code ?? cause.message) : String(cause);
  const reason = code === 'EACCES' ? `${code}: only root changes services of the machine` : said;
  throw new NectarError('CLI_SERVICE_REFUSED', { by, reason }, cause instanceof Error ? { cause } : undefined);
}
