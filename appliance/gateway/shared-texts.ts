import { NectarError } from '../../protocol/errors.ts';
import { type KeptText, NOTHING, type ReadText } from './kept-text.ts';

/** What several gateways of one node share, by the names under which the store keeps it. */
const SHARED_TEXTS = [
  'tokens',
  'hardening',
  'backups',
  'clients-authority',
  'clients-site',
  'clients-lists',
  'clients-floors',
  'log-levels',
] as const;
export type SharedTextName = (typeof SHARED_TEXTS)[number];

/** A copy is believed so long: what one gateway takes back, every other refuses no later. */
export const CONFIRM_EVERY_MS = 500;

/** What keeps them: the store. */
export interface SharedShelf {
  read(name: SharedTextName): Promise<{ readonly text?: string | undefined; readonly version: string }>;
  /** @throws NectarError NODE_SHELF_CHANGED */
  write(name: SharedTextName, text: string, after: string): Promise<{ readonly version: string }>;
  versions(): Promise<readonly { readonly name: string; readonly version: string }[]>;
}

export interface SharedTexts {
  text(name: SharedTextName): KeptText;
  /** Looks for changes of other gateways, unless it has just done so. @throws NectarError NODE_NOT_READY */
  confirm(): Promise<void>;
}

/**
 * Copies of what the store keeps for every gateway. Nothing is pushed: whoever relies on a copy has it confirmed, which asks the store at
 * most every half second for all of them together. A store that does not answer confirms nothing, so nothing old is believed.
 */
export function createSharedTexts(shelf: SharedShelf, now: () => number): SharedTexts {
  const listeners = new Map<SharedTextName, Set<() => Promise<void>>>();
  /** As last told to those who hold a copy. */
  const told = new Map<SharedTextName, string>();
  const versions = new Map<string, string>();
  let confirmedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  async function ask(): Promise<void> {
    const at = now();
    const found = await shelf.versions();
    versions.clear();
    for (const { name, version } of found) versions.set(name, version);
    for (const [name, all] of listeners) {
      const version = versions.get(name) ?? NOTHING;
      if (told.get(name) === version) continue;
      for (const listener of all) await listener();
      told.set(name, version);
    }
    confirmedAt = at;
  }

  function confirm(): Promise<void> {
    if (now() - confirmedAt < CONFIRM_EVERY_MS) return Promise.resolve();
    running ??= ask()
      .catch((cause: unknown) => {
        const reason = 'what gateways share cannot be read from it';
        throw new NectarError('NODE_NOT_READY', { service: 'store', reason }, { cause });
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  return {
    confirm,
    text: (name) => ({
      shared: true,
      path: `store:${name}`,
      async read(): Promise<ReadText> {
        const { text, version } = await shelf.read(name);
        return { text, version };
      },
      write: async (text, after) => (await shelf.write(name, text, after)).version,
      // Never by asking: this is called by what `confirm` waits for.
      stamp: async () => versions.get(name) ?? NOTHING,
      confirm,
      onChange(listener) {
        const all = listeners.get(name) ?? new Set();
        listeners.set(name, all.add(listener));
        told.delete(name);
        confirmedAt = Number.NEGATIVE_INFINITY;
      },
    }),
  };
}
