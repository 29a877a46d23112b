import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Terminal } from './terminal.ts';

/** What opens a new node: what `init` can enrol by itself. */
export type InitUnlock = 'passphrase' | 'file' | 'tpm2';
export const INIT_UNLOCKS: readonly InitUnlock[] = ['passphrase', 'file', 'tpm2'];

/** What this machine has that keeps the key off its disk. */
export interface UnlockOffers {
  /** A TPM 2.0 and the tools that speak to it. */
  readonly tpm: boolean;
  /** A TPM, without its tools. */
  readonly tpmWithoutTools: boolean;
  /** systemd-creds, for a credential of the unit. */
  readonly systemd: boolean;
  /** Libraries of PKCS#11 tokens. */
  readonly tokens: readonly string[];
}

const TPM_DEVICES = ['/dev/tpmrm0', '/dev/tpm0'];
const TOKEN_LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so',
  '/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so',
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/libykcs11.so',
  '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so',
];

export function findUnlockOffers(
  { env }: Pick<Terminal, 'env'>,
  exists: (path: string) => boolean = existsSync,
): UnlockOffers {
  const programs = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const has = (program: string): boolean => programs.some((folder) => exists(join(folder, program)));
  const device = TPM_DEVICES.some(exists);
  const tools = has('tpm2_unseal') && has('tpm2_create');
  return {
    tpm: device && tools,
    tpmWithoutTools: device && !tools,
    systemd: has('systemd-creds') && exists('/run/systemd/system'),
    tokens: TOKEN_LIBRARIES.filter(exists),
  };
}

/** Whether a key file and the data come away with one disk. A file that is not there yet counts by its first folder that is. */
export function isOnSameDisk(keyFile: string, home: string): boolean {
  const device = (path: string): number | undefined => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined) return found.dev;
    return dirname(path) === path ? undefined : device(dirname(path));
  };
  return device(keyFile) === device(home);
}

/** What a key file beside the data means, and what this machine has that is better, in words for who decides. */
export function describeKeyFile(
  { keyFile, home }: { readonly keyFile: string; readonly home: string },
  offers: UnlockOffers,
): string[] {
  if (!isOnSameDisk(keyFile, home))
    return [`The key file ${keyFile} opens the node: keep a copy of it in a safe place.`];
  return [
    `The key file ${keyFile} lies on the same disk as the data: whoever has a copy of the two (a stolen disk, a backup of`,
    'the whole machine, its administrator) reads everything. It protects a copy of the home alone. The hardening report says so too.',
    ...betterWays(offers),
  ];
}

function betterWays({ tpm, tpmWithoutTools, systemd, tokens }: UnlockOffers): string[] {
  const [token] = tokens;
  return [
    ...(tpm ? ['Better, and here: the TPM of this machine (`keys enroll tpm2`, then `keys remove file-1`).'] : []),
    ...(tpmWithoutTools
      ? ['Better: this machine has a TPM; with tpm2-tools installed, `keys enroll tpm2` uses it.']
      : []),
    ...(systemd ? ['Better, and here: a credential that systemd decrypts for the unit (`keys enroll systemd`).'] : []),
    ...(token === undefined
      ? []
      : [
          `Better, where you have a PKCS#11 token: this machine has a module for it (\`keys enroll pkcs11 --module ${token}\`).`,
        ]),
    'Better anywhere: a passphrase (`keys enroll passphrase`), or the key file on another disk (`keys enroll file --path FILE`).',
  ];
}
