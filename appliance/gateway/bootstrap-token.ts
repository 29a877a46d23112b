import { readFile, stat } from 'node:fs/promises';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Readiness, Service } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';
import { bootstrapId } from './bootstrap-secret.ts';
import { createdFacts } from './token-facts.ts';
import type { TokenLog, Tokens } from './tokens.ts';

const MAX_FILE_BYTES = 4096;
const LOOK_EVERY_MS = 5_000;

/**
 * The owner's first token where no `init` made one: a Secret that the site has drawn, mounted into the gateway alone. Its hash is listed
 * and on record as any token. It is looked at while the node runs: a site changes it by changing the Secret.
 */
export function createBootstrapToken(
  { path }: { readonly path: string },
  deps: {
    readonly tokens: Pick<Tokens, 'bootstrap' | 'generation'>;
    readonly audit: Pick<TokenLog, 'append'>;
    readonly log: Logger;
  },
): Service {
  const log = deps.log.child({ service: 'bootstrap token' });
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let taken = '';

  async function look(): Promise<void> {
    const id = await readId(path);
    if (id === taken) return;
    const { added, revoked } = await deps.tokens.bootstrap(id);
    const context = { actor: { subject: 'system:gateway' }, requestId: `bootstrap/${id}` };
    const generation = deps.tokens.generation();
    if (added !== undefined) {
      const detail = { subject: added.subject, ...createdFacts(added, generation) };
      await deps.audit.append({ type: 'token.create', outcome: 'success', context, detail });
    }
    for (const { id: token, revokedAt = '' } of revoked) {
      const detail = { token, at: revokedAt, file: 'tokens', generation };
      await deps.audit.append({ type: 'token.revoke', outcome: 'success', context, detail });
    }
    taken = id;
    if (added !== undefined) log.info({ token: id, revoked: revoked.length }, 'the bootstrap token was taken');
  }
  const lookSoon = (): void => {
    looking = looking.then(look).catch((error: unknown) => {
      const level = isNectarError(error, 'GATEWAY_BOOTSTRAP_TOKEN_INVALID') ? 'error' : 'debug';
      log[level]({ err: error }, 'the bootstrap token was not taken');
    });
  };

  return {
    name: 'bootstrap token',
    async start() {
      if (path === '') return;
      lookSoon();
      timer = setInterval(lookSoon, LOOK_EVERY_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
    readiness: (): Readiness => ({ ready: true }),
  };
}

/** @throws NectarError GATEWAY_BOOTSTRAP_TOKEN_INVALID */
async function readId(path: string): Promise<string> {
  const invalid = (reason: string, cause?: unknown) =>
    new NectarError('GATEWAY_BOOTSTRAP_TOKEN_INVALID', { path, reason }, { cause });
  let text: string;
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new RangeError('it is too large');
    text = await readFile(path, 'latin1');
  } catch (error) {
    throw invalid(error instanceof RangeError ? error.message : 'it cannot be read', error);
  }
  const id = bootstrapId(text.trim());
  if (id === undefined) throw invalid('it is not 43 to 128 letters, digits, - and _');
  return id;
}
