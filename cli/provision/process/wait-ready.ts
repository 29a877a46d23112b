import { NodeReadiness } from '../../../appliance/gateway/node-schemas.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Client } from '../../client.ts';
import type { Say } from '../../render/work.ts';
import { waitUntil } from '../../wait-until.ts';
import { knownError } from './start-failure.ts';

const POLL_MS = 200;
const ANSWER_MS = 10_000;
/** A wait of this length is told where no terminal shows it. */
const USUAL_MS = 6_000;
const MAX_SAID = 16;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told what the node still waits for. */
  readonly say: (text: string) => void;
}

/** What /readyz says: 503 is an answer too. */
export function readReadiness(client: Client): Promise<NodeReadiness> {
  return client.send(NodeReadiness, 'GET', '/readyz', { accept: [503], timeoutMs: ANSWER_MS });
}

/** Whether the root key is what the node waits for. */
export function isLocked({ ready, reasons }: NodeReadiness): boolean {
  return !ready && reasons.some(({ service, reason }) => service === 'keys' && reason.startsWith('locked'));
}

/**
 * What keeps the node from becoming ready and does not pass by itself, as the error that it is.
 *
 * @throws NectarError of the node's own code
 */
export function throwFault({ reasons }: NodeReadiness): void {
  const fault = reasons.find((reason) => reason.fault !== undefined)?.fault;
  const error = fault === undefined ? undefined : knownError(fault.code, fault.data);
  if (error !== undefined) throw error;
}

/** Waits until the node is ready, or has only its lock to wait for. @throws NectarError CLI_NODE_START_TIMEOUT, and what `throwFault` does */
export async function waitUntilReady(client: Client, { timeoutMs, signal, say }: WaitOptions): Promise<NodeReadiness> {
  let last: NodeReadiness = { ready: false, reasons: [] };
  const usable = async (): Promise<NodeReadiness | undefined> => {
    last = await readReadiness(client);
    throwFault(last);
    if (last.ready || isLocked(last)) return last;
    say(describeReasons(last));
    return undefined;
  };
  const found = await waitUntil(usable, { timeoutMs, pollMs: POLL_MS, signal });
  if (found !== undefined) return found;
  throw new NectarError('CLI_NODE_START_TIMEOUT', { seconds: timeoutMs / 1000, waitingFor: describeReasons(last) });
}

/**
 * Says what a start waits for: on a terminal whatever it is now; elsewhere, once the wait is longer than usual, each new reason. Texts
 * that differ in their numbers are one reason.
 */
export function sayWaiting(say: Say, now: () => number = () => performance.now()): (reason: string) => void {
  const since = now();
  const said = new Set<string>();
  return (reason) => {
    const text = `waiting for ${reason}`;
    const key = reason.replace(/\d+/g, '');
    const matters = now() - since >= USUAL_MS && !said.has(key) && said.size < MAX_SAID;
    if (!matters) return say(text);
    said.add(key);
    say(text, 'matters');
  };
}

export function describeReasons({ reasons }: NodeReadiness): string {
  return reasons.map(({ service, reason }) => `${service}: ${reason}`).join('; ') || 'it gives no reason';
}
