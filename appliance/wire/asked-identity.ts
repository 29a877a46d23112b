import {
  encodeIdentityFile,
  findIdentityFile,
  homePaths,
  type PublicIdentity,
  readPublicIdentity,
} from '../config/index.ts';
import { requireSame, storeIntroduction } from '../crossing/introduction.ts';
import { replaceFile } from '../durable-file.ts';
import type { RoleOptions, WireDeps } from '../wiring.ts';
import { beforeWiring } from './before-wiring.ts';

/** Which node the gateway serves. It keeps nothing: where the configuration does not say it, the store is asked at each start. */
export async function gatewayIdentity(options: RoleOptions, deps: Pick<WireDeps, 'log'>): Promise<PublicIdentity> {
  const { home } = options;
  if (options.crossings.carrier === 'sockets') return readPublicIdentity(home);
  const configured = findIdentityFile(homePaths(home).publicIdentity);
  if (configured !== undefined) return configured;
  return beforeWiring(
    { role: 'gateway', attempt: (carrier) => storeIntroduction(carrier.connect('store')).get() },
    options,
    deps,
  );
}

/** Which node's chain, account and place among peers this is: as the store says, and pinned in the rollup's volume. */
export async function rollupIdentity(options: RoleOptions, deps: Pick<WireDeps, 'log'>): Promise<PublicIdentity> {
  const { home } = options;
  if (options.crossings.carrier === 'sockets') return readPublicIdentity(home);
  const paths = homePaths(home);
  return beforeWiring(
    {
      role: 'rollup',
      async attempt(carrier) {
        const known = findIdentityFile(paths.pinned.rollup);
        const found = await storeIntroduction(carrier.connect('blocks')).introduce({ known: known ?? null });
        if (known !== undefined) requireSame('the volume of the rollup', known, found);
        else await replaceFile(paths.pinned.rollup, encodeIdentityFile(found), 0o600);
        return found;
      },
    },
    options,
    deps,
  );
}
