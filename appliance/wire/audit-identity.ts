import { NectarError } from '../../protocol/errors.ts';
import {
  encodeIdentityFile,
  findIdentityFile,
  homePaths,
  type PublicIdentity,
  readPublicIdentity,
} from '../config/index.ts';
import { type AuditIntroduction, auditIntroductionRoutes, requireSame } from '../crossing/introduction.ts';
import { replaceFile } from '../durable-file.ts';
import type { RoleOptions, WireDeps } from '../wiring.ts';
import { beforeWiring } from './before-wiring.ts';

const WHERE = 'the volume of the audit';

/** Which node the log belongs to: as pinned in its volume, else as the store tells it first. */
export async function auditIdentity(options: RoleOptions, deps: Pick<WireDeps, 'log'>): Promise<PublicIdentity> {
  const { home } = options;
  if (options.crossings.carrier === 'sockets') return readPublicIdentity(home);
  const paths = homePaths(home);
  const configured = findIdentityFile(paths.publicIdentity);
  let introduced: PublicIdentity | undefined;
  const introduction: AuditIntroduction = {
    known: async () => ({ known: findIdentityFile(paths.pinned.audit) ?? null }),
    async introduce(identity) {
      if (configured !== undefined) requireSame('the configuration', configured, identity);
      const pinned = findIdentityFile(paths.pinned.audit);
      if (pinned !== undefined) requireSame(WHERE, pinned, identity);
      else await replaceFile(paths.pinned.audit, encodeIdentityFile(identity), 0o600);
      introduced = identity;
    },
  };
  return beforeWiring(
    {
      role: 'audit',
      serve: () => ({ 'audit-keys': auditIntroductionRoutes(introduction) }),
      async attempt() {
        const pinned = findIdentityFile(paths.pinned.audit) ?? introduced;
        if (pinned === undefined)
          throw new NectarError('NODE_NOT_READY', { service: 'store', reason: 'it has not said which node this is' });
        if (configured !== undefined) requireSame(WHERE, pinned, configured);
        return pinned;
      },
    },
    options,
    deps,
  );
}

/** Afterwards: what the log's node is, for a store that starts anew. */
export function auditIntroductionOf(identity: PublicIdentity): AuditIntroduction {
  return {
    known: async () => ({ known: identity }),
    introduce: async (found) => requireSame(WHERE, identity, found),
  };
}
