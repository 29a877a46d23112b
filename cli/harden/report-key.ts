import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Key, PrivateKey } from 'openpgp';
import { replaceFile } from '../../appliance/durable-file.ts';
import { NectarError } from '../../protocol/errors.ts';
import { readSmallFile } from '../life/backup/small-files.ts';
import { hardeningPath, makeHardeningFolder } from './folder.ts';

const MAX_KEY_BYTES = 256 * 1024;
const MAX_KEYS = 16;

export interface ReportKey {
  /** Hex, upper case. */
  readonly fingerprint: string;
  readonly createdAt: string;
  readonly algorithm: string;
  /** Whether a passphrase must be given to sign. */
  readonly protected: boolean;
  /** How the passphrase becomes a key (RFC 9580, 3.7.1.4); absent where there is none. */
  readonly kdf?: { readonly algorithm: string; readonly memoryKiB: number; readonly passes: number };
}

export interface MakeKeyRequest {
  readonly home: string;
  readonly nodeId: string;
  readonly passphrase: Uint8Array | undefined;
  readonly force: boolean;
  readonly now: () => number;
}

/**
 * Makes the key that signs this node's reports: Ed25519 in the form that every OpenPGP program reads (RFC 4880, version 4).
 * It lies on the machine that makes the reports, so it shows that a report was not altered after it left that machine, and which
 * machine that was. Against the administrator of the machine the audit log is the evidence, not this key.
 *
 * @throws NectarError CLI_OUTPUT_EXISTS
 */
export async function makeReportKey({ home, nodeId, passphrase, force, now }: MakeKeyRequest): Promise<ReportKey> {
  const path = privatePath(home);
  if (!force && existsSync(path)) throw new NectarError('CLI_OUTPUT_EXISTS', { path });
  const { enums, generateKey } = await import('openpgp');
  const made = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: `Nectar BYON hardening reports of node ${nodeId}` }],
    subkeys: [],
    date: new Date(now()),
    ...(passphrase !== undefined && {
      passphrase: Buffer.from(passphrase).toString('utf8'),
      config: { s2kType: enums.s2k.argon2, aeadProtect: true },
    }),
  });
  await makeHardeningFolder(home);
  await replaceFile(path, made.privateKey, 0o600);
  return describeKey(await readPrivate(home));
}

/** Undefined when none was made. @throws NectarError HARDENING_KEY_INVALID */
export async function findReportKey(home: string): Promise<ReportKey | undefined> {
  return existsSync(privatePath(home)) ? describeKey(await readPrivate(home)) : undefined;
}

/** The public half, armoured. @throws NectarError HARDENING_KEY_MISSING, HARDENING_KEY_INVALID */
export async function readPublicKey(home: string): Promise<string> {
  return (await readPrivate(home)).toPublic().armor();
}

/**
 * A detached, armoured signature of `bytes`.
 *
 * @throws NectarError HARDENING_KEY_MISSING, HARDENING_KEY_INVALID, HARDENING_KEY_LOCKED
 */
export async function signBytes(
  bytes: Uint8Array,
  { home, passphrase, now }: Pick<MakeKeyRequest, 'home' | 'passphrase' | 'now'>,
): Promise<{ readonly signature: string; readonly fingerprint: string }> {
  const { createMessage, sign } = await import('openpgp');
  const key = await openPrivate(home, passphrase);
  const message = await createMessage({ binary: bytes });
  const signature = await sign({ message, signingKeys: key, detached: true, date: new Date(now()) });
  return { signature: String(signature), fingerprint: fingerprintOf(key) };
}

/** Public keys from an armoured file of somebody else. @throws NectarError HARDENING_KEY_INVALID */
export async function readKeyFile(path: string): Promise<readonly Key[]> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('HARDENING_KEY_INVALID', { path, reason }, { cause });
  };
  const bytes = await readSmallFile(path);
  if (bytes === undefined) return refuse('there is no such file');
  if (bytes.length > MAX_KEY_BYTES) return refuse(`longer than ${MAX_KEY_BYTES} bytes`);
  const keys = await parseKeys(Buffer.from(bytes).toString('utf8')).catch((error: unknown) =>
    refuse('not an armoured key', error),
  );
  return keys.length <= MAX_KEYS ? keys : refuse(`more than ${MAX_KEYS} keys`);
}

export async function parseKeys(armoured: string): Promise<readonly Key[]> {
  const { readKeys } = await import('openpgp');
  return (await readKeys({ armoredKeys: armoured })).map((key) => key.toPublic());
}

export function fingerprintOf(key: Key): string {
  return key.getFingerprint().toUpperCase();
}

async function openPrivate(home: string, passphrase: Uint8Array | undefined): Promise<PrivateKey> {
  const key = await readPrivate(home);
  if (key.isDecrypted()) return key;
  const path = privatePath(home);
  if (passphrase === undefined) throw new NectarError('HARDENING_KEY_LOCKED', { path });
  const { decryptKey } = await import('openpgp');
  try {
    return await decryptKey({ privateKey: key, passphrase: Buffer.from(passphrase).toString('utf8') });
  } catch (error) {
    throw new NectarError('HARDENING_KEY_LOCKED', { path }, { cause: error });
  }
}

async function readPrivate(home: string): Promise<PrivateKey> {
  const path = privatePath(home);
  const { readPrivateKey } = await import('openpgp');
  try {
    return await readPrivateKey({ armoredKey: await readFile(path, 'utf8') });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new NectarError('HARDENING_KEY_MISSING', { path }, { cause: error });
    throw new NectarError('HARDENING_KEY_INVALID', { path, reason: code ?? message }, { cause: error });
  }
}

function describeKey(key: PrivateKey): ReportKey {
  return {
    fingerprint: fingerprintOf(key),
    createdAt: key.getCreationTime().toISOString(),
    algorithm: algorithmOf(key),
    protected: !key.isDecrypted(),
    ...kdfOf(key),
  };
}

/** The library keeps it, and declares no type for it. */
function kdfOf(key: PrivateKey): Pick<ReportKey, 'kdf'> {
  const { s2k } = key.keyPacket as unknown as { s2k?: { type?: unknown; t?: unknown; encodedM?: unknown } };
  if (s2k?.type !== 'argon2' || typeof s2k.t !== 'number' || typeof s2k.encodedM !== 'number') return {};
  return { kdf: { algorithm: 'argon2id', memoryKiB: 2 ** s2k.encodedM, passes: s2k.t } };
}

/** In the words of other programs: `ed25519Legacy` is how the library tells version 4 from version 6. */
function algorithmOf(key: PrivateKey): string {
  const { algorithm, curve } = key.getAlgorithmInfo();
  return /^ed25519/i.test(curve ?? algorithm) ? 'Ed25519' : algorithm;
}

function privatePath(home: string): string {
  return hardeningPath(home, 'report-key.asc');
}
