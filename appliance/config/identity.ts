import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import Type, { type Static } from 'typebox';
import { NectarError } from '../../protocol/errors.ts';
import { parseDescriptor, type VerifiedDescriptor } from '../../protocol/network/descriptor.ts';
import { homePaths } from './home-paths.ts';

const MAX_FILE_BYTES = 256 * 1024;
const KEY_PATTERN = /^0x([0-9a-f]{64})\n?$/;

const publicIdentitySchema = Type.Object(
  {
    nodeId: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    peerId: Type.String({ pattern: '^[1-9A-HJ-NP-Za-km-z]{20,80}$' }),
    operator: Type.String({ pattern: '^0x[0-9a-f]{40}$' }),
    checkpointVkey: Type.String({ maxLength: 512 }),
    tokenJwk: Type.Object(
      { kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** HOME/identity/public.json: the public halves of the node's identities, readable while it is locked. */
export type PublicIdentity = Static<typeof publicIdentitySchema>;

const validate = new Ajv().compile<PublicIdentity>(publicIdentitySchema);

/** @throws NectarError CONFIG_FILE_MISSING, CONFIG_FILE_INVALID */
export function readPublicIdentity(home: string): PublicIdentity {
  return readIdentityFile(homePaths(home).publicIdentity);
}

/** One that lies elsewhere: in the volume of a role that has pinned it. undefined: there is none. @throws NectarError CONFIG_FILE_INVALID */
export function findIdentityFile(path: string): PublicIdentity | undefined {
  return existsSync(path) ? readIdentityFile(path) : undefined;
}

export function encodeIdentityFile(identity: PublicIdentity): string {
  return `${JSON.stringify(identity, undefined, 2)}\n`;
}

function readIdentityFile(path: string): PublicIdentity {
  return parseIdentity(path, readBounded(path).toString('utf8'));
}

/** `path`: where it came from, for the error. @throws NectarError CONFIG_FILE_INVALID */
export function parseIdentity(path: string, text: string): PublicIdentity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['not valid JSON'] }, { cause: error });
  }
  if (!validate(value)) throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['not an identity'] });
  return value;
}

/** HOME/network.json, its signature checked. @throws NectarError CONFIG_FILE_MISSING, NETWORK_DESCRIPTOR_* */
export function readDescriptor(home: string): VerifiedDescriptor {
  return parseDescriptor(readBounded(homePaths(home).network));
}

/** A bare key of a devnet's home: 32 bytes as 0x hex. Nodes have none: theirs are sealed. */
export function readDevnetKey(home: string, name: string): Uint8Array {
  const path = join(home, 'keys', `${name}.key`);
  const [, hex] = KEY_PATTERN.exec(readBounded(path).toString('latin1')) ?? [];
  if (hex === undefined) throw new NectarError('CONFIG_FILE_INVALID', { path, problems: ['not 32 bytes as 0x hex'] });
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function readBounded(path: string): Buffer {
  try {
    if (statSync(path).size <= MAX_FILE_BYTES) return readFileSync(path);
  } catch (error) {
    throw new NectarError('CONFIG_FILE_MISSING', { path }, { cause: error });
  }
  throw new NectarError('CONFIG_FILE_INVALID', { path, problems: [`larger than ${MAX_FILE_BYTES} bytes`] });
}
