import { encodeVerifierKey, parseVerifierKey, type VerifierKey } from './verifier-key.ts';

/**
 * One epoch of a log, as its origin names it: `BASE` for the first, `BASE/epoch/NUMBER/START/ID` for a successor, which shares
 * the leaves below START with the epoch before it and begins with an `audit.epoch` leaf there. To everybody who follows
 * checkpoints (C2SP tlog-checkpoint) it is a log of its own, since it need not extend what the earlier epoch signed above START.
 */
export interface LogEpoch {
  /** The origin of the first epoch. */
  readonly base: string;
  /** From 1. */
  readonly number: number;
  /** Index of its `audit.epoch` leaf; 0 for the first epoch, which has none. */
  readonly start: number;
}

const SUCCESSOR = /^(.+)\/epoch\/([1-9]\d{0,5})\/(0|[1-9]\d{0,15})\/[0-9a-f]{16}$/;

/** The origin of a successor epoch. @param id 16 hex digits, random: two restores of one backup are two logs */
export function epochOrigin({ base, number, start }: LogEpoch, id: string): string {
  return `${base}/epoch/${number}/${start}/${id}`;
}

/** Parses any origin; one that does not name a successor is that of a first epoch. */
export function parseOrigin(origin: string): LogEpoch {
  const [, base, number, start] = SUCCESSOR.exec(origin) ?? [];
  if (base === undefined || Number(number) < 2 || !Number.isSafeInteger(Number(start)))
    return { base: origin, number: 1, start: 0 };
  return { base, number: Number(number), start: Number(start) };
}

/** The key of the epoch with this origin: the same Ed25519 key under its name. undefined when it is another log's. */
export function keyOfEpoch(log: VerifierKey, origin: string): VerifierKey | undefined {
  return parseOrigin(origin).base === parseOrigin(log.name).base ? { ...log, name: origin } : undefined;
}

/** Whether a key is that of an epoch of the log whose key was given: the same Ed25519 key, under the name of an epoch. */
export function isKeyOfLog(given: string, vkey: string): boolean {
  const epoch = keyOfEpoch(parseVerifierKey(given), parseVerifierKey(vkey).name);
  return epoch !== undefined && encodeVerifierKey(epoch) === vkey;
}
