import { NectarError } from '../../../protocol/errors.ts';
import type { BackupKeys, Keys } from '../../keys/index.ts';
import { collect } from '../collect.ts';
import { type Route, unaryRoute, uploadRoute } from '../route.ts';
import {
  enrollProvider,
  keyState,
  listKeys,
  listProviders,
  MAX_PASSPHRASE_BYTES,
  removeProvider,
  repositoryKey,
  resolveKeys,
  retireKeys,
  rotateKeys,
  signCopy,
  signToken,
  unlock,
} from './key-contract.ts';

/** Header and claims of a JWT, each base64url of a JSON object; nothing else is ever signed with the token key. */
const SIGNING_INPUT = /^eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+$/;

export function keyRoutes(keys: Keys, tokenSigner: { sign(input: Uint8Array): Promise<Uint8Array> }): Route[] {
  return [
    unaryRoute(keyState, () => keys.state()),
    uploadRoute(unlock, async ({ provider }, body) => {
      const passphrase = await collect(body, MAX_PASSPHRASE_BYTES, { service: 'gateway', operation: unlock.name });
      try {
        await keys.unlock({ provider, passphrase });
        return null;
      } finally {
        passphrase.fill(0);
      }
    }),
    unaryRoute(listKeys, () => keys.list()),
    unaryRoute(listProviders, () => keys.providers()),
    unaryRoute(rotateKeys, () => keys.rotate()),
    unaryRoute(retireKeys, () => keys.retire()),
    uploadRoute(enrollProvider, async ({ provider, settings, id }, body) => {
      const secret = await collect(body, MAX_PASSPHRASE_BYTES, { service: 'gateway', operation: enrollProvider.name });
      try {
        const wanted = { provider, settings, ...(secret.length > 0 && { secret }) };
        return await (id === undefined ? keys.enroll(wanted) : keys.change(id, wanted));
      } finally {
        secret.fill(0);
      }
    }),
    unaryRoute(removeProvider, ({ id }) => keys.remove(id)),
    unaryRoute(resolveKeys, () => keys.resolve()),
    unaryRoute(signToken, async ({ input }) => {
      if (!SIGNING_INPUT.test(Buffer.from(input).toString('latin1'))) {
        const problem = 'not the signing input of a token';
        throw new NectarError('NODE_MESSAGE_INVALID', { service: 'gateway', operation: signToken.name, problem });
      }
      return { signature: await tokenSigner.sign(input) };
    }),
  ];
}

/** Statements of backups, signed, and the keys of their repositories. */
export function backupKeyRoutes(backups: BackupKeys): Route[] {
  return [
    unaryRoute(signCopy, async (statement) => ({ signature: await backups.sign(statement) })),
    unaryRoute(repositoryKey, async ({ repository }) => ({ key: await backups.repositoryKey(repository) })),
  ];
}
