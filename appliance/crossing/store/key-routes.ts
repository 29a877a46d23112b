import { NectarError } from '../../../protocol/errors.ts';
import type { BackupKeys, Keys } from '../../keys/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { backupKeys, keys as keyContract } from './key-contract.ts';

/** Header and claims of a JWT, each base64url of a JSON object; nothing else is ever signed with the token key. */
const SIGNING_INPUT = /^eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+$/;

export function keyRoutes(keys: Keys, tokenSigner: { sign(input: Uint8Array): Promise<Uint8Array> }): Route[] {
  return routesOf(keyContract, {
    state: () => keys.state(),
    unlock: (provider, passphrase) => keys.unlock({ provider, passphrase }),
    list: () => keys.list(),
    providers: () => keys.providers(),
    purposes: () => keys.purposes(),
    rotate: () => keys.rotate(),
    retire: (olderThan) => keys.retire(olderThan),
    enroll: (enrolment, secret) => keys.enroll({ ...enrolment, ...given(secret) }),
    change: (id, enrolment, secret) => keys.change(id, { ...enrolment, ...given(secret) }),
    remove: (id) => keys.remove(id),
    replaceRoot: (wanted, secret) => keys.replaceRoot({ ...wanted, ...given(secret) }),
    resolve: () => keys.resolve(),
    async signToken(input) {
      if (SIGNING_INPUT.test(Buffer.from(input).toString('latin1'))) return tokenSigner.sign(input);
      const problem = 'not the signing input of a token';
      throw new NectarError('NODE_MESSAGE_INVALID', { service: 'the caller', operation: 'keys.signToken', problem });
    },
  });
}

/** Not every provider has a secret: none is sent as no bytes. */
function given(secret: Uint8Array): { readonly secret?: Uint8Array } {
  return secret.length > 0 ? { secret } : {};
}

/** Statements of backups, signed, and the keys of their repositories. */
export function backupKeyRoutes(backups: BackupKeys): Route[] {
  return routesOf(backupKeys, backups);
}
