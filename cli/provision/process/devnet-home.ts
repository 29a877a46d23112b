import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getBytes, hexlify } from 'ethers';
import { NectarError } from '../../../protocol/errors.ts';
import { syncFolder } from './sync-tree.ts';

/**
 * The home of a devnet. Its keys lie bare (0600): they are worth nothing outside it.
 *
 *   network.json    the signed descriptor; there once the devnet is complete
 *   config.json     options of `run sequencer` that differ from the defaults
 *   faucet.key      the L1 account that hands out test ether
 *   keys/           sequencer, auditor-1, auditor-2 (secp256k1), descriptor and p2p (Ed25519 seeds), database; 32 bytes, 0x hex
 *   l1/             anvil's: state, mnemonic, log, pid
 *   rollup/db  logs/node.log  run/node.json
 */
export const DEVNET_KEYS = ['sequencer', 'auditor-1', 'auditor-2', 'descriptor', 'p2p', 'database'] as const;
export type DevnetKey = (typeof DEVNET_KEYS)[number];

export function devnetKeyPath(devnet: string, name: DevnetKey): string {
  return join(devnet, 'keys', `${name}.key`);
}

export function faucetKeyPath(devnet: string): string {
  return join(devnet, 'faucet.key');
}

export function descriptorPath(home: string): string {
  return join(home, 'network.json');
}

export function isDevnetHome(devnet: string): boolean {
  return existsSync(descriptorPath(devnet)) && existsSync(faucetKeyPath(devnet));
}

/** @throws NectarError CLI_DEVNET_MISSING */
export function requireDevnet(devnet: string): void {
  if (!isDevnetHome(devnet)) throw new NectarError('CLI_DEVNET_MISSING', { devnet });
}

export async function readKey(path: string): Promise<Uint8Array> {
  return getBytes((await readFile(path, 'utf8')).trim());
}

/** Writes a key that only its owner reads; an existing one stays. */
export async function writeKeyOnce(path: string, key: Uint8Array): Promise<Uint8Array> {
  try {
    await writeFile(path, `${hexlify(key)}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readKey(path);
  }
}

/** Writes a file so that a crash leaves the old one or the new one, never a part. */
export async function writeWhole(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `${name}.${process.pid}`);
  await writeFile(temporary, content, { mode: 0o600, flush: true });
  await rename(temporary, join(folder, name));
  await syncFolder(folder);
}
