import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDescriptor } from '../../../appliance/config/index.ts';
import { createFile } from '../../../appliance/durable-file.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';

/**
 * The home of a devnet. Its keys lie bare (0600): they are worth nothing outside it.
 *
 *   network.json    the signed descriptor; there once the devnet is complete
 *   config.json     options of `run sequencer` that differ from the defaults
 *   faucet.key      the L1 account that hands out test ether
 *   keys/           sequencer, auditor-1, auditor-2, validator (secp256k1), descriptor and p2p (Ed25519 seeds), database; 32 bytes, 0x hex
 *   l1/             anvil's: state, mnemonic, log, pid
 *   rollup/db  logs/node.log  run/node.json
 */
const DEVNET_KEYS = ['sequencer', 'auditor-1', 'auditor-2', 'validator', 'descriptor', 'p2p', 'database'] as const;
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

/** What a devnet says of itself. @throws NectarError CLI_DEVNET_OUTDATED where another version of this program made it */
export function readDevnetDescriptor(devnet: string): NetworkDescriptor {
  try {
    return readDescriptor(devnet).descriptor;
  } catch (error) {
    if (!isNectarError(error, 'NETWORK_DESCRIPTOR_INVALID')) throw error;
    throw new NectarError('CLI_DEVNET_OUTDATED', { devnet, ...error.data }, { cause: error });
  }
}

export async function readKey(path: string): Promise<Uint8Array> {
  return hexToBytes((await readFile(path, 'utf8')).trim() as Hex);
}

/** Writes a key that only its owner reads; an existing one stays. */
export async function writeKeyOnce(path: string, key: Uint8Array): Promise<Uint8Array> {
  try {
    await createFile(path, `${bytesToHex(key)}\n`, 0o600);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readKey(path);
  }
}
