import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { readKeyStore } from './key-store-file.ts';
import type { KeyStore } from './key-store-schema.ts';

/** Why keys.json is not the list that the log states, or that this process works with. */
export type KeyContradiction = NectarError<
  'KEY_STORE_BEHIND' | 'KEY_STORE_AHEAD' | 'KEY_STORE_INVALID' | 'KEY_STORE_MISSING'
>;
export type IdentityFault = NectarError<'KEY_IDENTITY_MISSING' | 'KEY_IDENTITY_INVALID'>;

const SEALED = '.sealed';
/** A node has five; a folder full of others is not read. */
const MAX_IDENTITIES = 64;

/**
 * Holds keys.json against the list that this process read, or wrote last. An older copy that is put in its place while the node runs
 * harms nobody yet: the process has the newest list in memory. At its end that list would be lost, with the keys of what was put since.
 */
export async function compareKeyStore(
  home: string,
  mine: { readonly store: KeyStore; readonly digest: string },
  macKey: Uint8Array,
): Promise<KeyContradiction | undefined> {
  try {
    const { store, digest, verify } = await readKeyStore(home);
    if (digest === mine.digest) return undefined;
    verify(macKey);
    const [generation, stated] = [store.generation, mine.store.generation];
    if (generation < stated) return new NectarError('KEY_STORE_BEHIND', { generation, stated });
    // Of the same generation and authentic: a change that this process did not make, such as that of a second one on a copy.
    return new NectarError('KEY_STORE_AHEAD', { generation, stated });
  } catch (error) {
    if (isNectarError(error, 'KEY_STORE_INVALID') || isNectarError(error, 'KEY_STORE_MISSING')) return error;
    throw error;
  }
}

/** The sealed identities of the home as they were at the start, or were written since: the node opens them only now and then. */
export interface HeldIdentities {
  remember(): Promise<void>;
  /** The first that is gone, is another one, or does not open. Of an unlocked node. */
  look(): Promise<IdentityFault | undefined>;
}

/** @param read opens one; it is asked once for each file, and again only for one that did not open */
export function createHeldIdentities(home: string, read: (name: string) => Promise<Uint8Array>): HeldIdentities {
  const folder = join(home, 'identity');
  let known = new Map<string, string>();
  const opened = new Set<string>();

  async function digests(): Promise<Map<string, string>> {
    const names = await readdir(folder).catch(() => []);
    const sealed = names.filter((name) => name.endsWith(SEALED)).slice(0, MAX_IDENTITIES);
    const found = new Map<string, string>();
    for (const name of sealed) {
      const bytes = await readFile(join(folder, name)).catch(() => undefined);
      if (bytes !== undefined)
        found.set(name.slice(0, -SEALED.length), createHash('sha256').update(bytes).digest('hex'));
    }
    return found;
  }

  /** A file that was damaged while the node was down is the one that the start remembers. */
  async function opens(name: string): Promise<boolean> {
    if (opened.has(name)) return true;
    try {
      (await read(name)).fill(0);
    } catch (error) {
      if (isNectarError(error, 'KEY_IDENTITY_INVALID')) return false;
      throw error;
    }
    opened.add(name);
    return true;
  }

  return {
    async remember() {
      known = await digests();
      opened.clear();
    },
    async look() {
      const found = await digests();
      for (const [name, digest] of known) {
        const now = found.get(name);
        if (now === undefined) return new NectarError('KEY_IDENTITY_MISSING', { name });
        // One that never opened may be put right.
        const isAnother = now !== digest && opened.has(name);
        if (isAnother || !(await opens(name))) return new NectarError('KEY_IDENTITY_INVALID', { name });
        known.set(name, now);
      }
      return undefined;
    },
  };
}
