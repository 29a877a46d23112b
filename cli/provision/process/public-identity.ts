import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** HOME/identity/public.json: readable while the node is locked. */
export interface PublicIdentity {
  readonly nodeId: string;
  readonly peerId: PeerIdText;
  readonly operator: Hex;
  /** C2SP verifier key of the audit checkpoints. */
  readonly checkpointVkey: string;
  readonly tokenJwk: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };
}

export function publicIdentityPath(home: string): string {
  return join(home, 'identity', 'public.json');
}

/** @throws NectarError CLI_FILE_UNREADABLE */
export function readPublicIdentity(home: string): PublicIdentity {
  const path = publicIdentityPath(home);
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<PublicIdentity>;
    if (typeof value.nodeId !== 'string' || typeof value.checkpointVkey !== 'string')
      throw new Error('it is incomplete');
    return value as PublicIdentity;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}
