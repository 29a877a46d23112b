import { KeepReplacedRequest } from '../../appliance/gateway/request-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Client } from '../client.ts';
import { openNodeClient } from '../node-client.ts';
import type { Terminal } from '../terminal.ts';

/** What is asked for each time, and how often: a node that restarts meanwhile waits a minute before it takes anything away. */
const KEEP_SECONDS = 300;
const ASK_EVERY_MS = 20_000;

/**
 * While `work` copies an index and then, for hours perhaps, the blocks that it names, the running node takes no ciphertext away that a
 * rekey replaces. Of a node that is down, locked or of a version that knows no rekey there is nothing to keep.
 */
export async function keepingReplaced<T>(
  { home, terminal }: { readonly home: string; readonly terminal: Terminal },
  work: () => Promise<T>,
): Promise<T> {
  const client = await findClient(home, terminal);
  if (client === undefined) return work();
  await ask(client);
  const timer = setInterval(() => void ask(client), ASK_EVERY_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await client.close();
  }
}

async function findClient(home: string, { signal }: Terminal): Promise<Client | undefined> {
  try {
    return await openNodeClient({ home, signal });
  } catch (error) {
    if (error instanceof NectarError) return undefined;
    throw error;
  }
}

async function ask(client: Client): Promise<void> {
  await client.json(KeepReplacedRequest, 'POST', '/v1/backups/hold', { seconds: KEEP_SECONDS }).catch(() => undefined);
}
