import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { combineShares } from '../../../protocol/envelope/shamir.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** What one officer decrypts: lines of text, which can be read out over the telephone if need be. */
export interface RecoveryShare {
  readonly nodeId: string;
  /** How many shares give the root key; 1: each is it. */
  readonly threshold: number;
  readonly bytes: Uint8Array;
}

const TITLE = 'nectar-byon recovery share, version 1';
const SHAPE = new RegExp(
  `^${TITLE}\\r?\\nnode ([0-9a-f]{32})\\r?\\nthreshold ([1-9][0-9]{0,2})\\r?\\nshare ([0-9a-f]{64,66})\\r?\\ncheck ([0-9a-f]{8})\\s*$`,
);
const MAX_FILE_BYTES = 4096;
const CHECK_CHARACTERS = 8;

export function encodeShare({ nodeId, threshold, bytes }: RecoveryShare): string {
  return `${TITLE}\nnode ${nodeId}\nthreshold ${threshold}\nshare ${Buffer.from(bytes).toString('hex')}\ncheck ${checkOf(bytes)}\n`;
}

/** @throws NectarError KEY_SHARE_INVALID */
export function parseShare(text: string, source: string): RecoveryShare {
  const [, nodeId = '', threshold = '', hex = '', check] = SHAPE.exec(text.trim()) ?? [];
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  if (check === undefined) throw new NectarError('KEY_SHARE_INVALID', { source, problem: 'it is no decrypted share' });
  if (check !== checkOf(bytes))
    throw new NectarError('KEY_SHARE_INVALID', { source, problem: 'a digit of it is wrong' });
  return { nodeId, threshold: Number(threshold), bytes };
}

/** The root key of enough shares, each of a file that an officer decrypted. The caller wipes it. @throws NectarError KEY_SHARE_INVALID, KEY_SHARES_MISSING */
export async function readRootKey(
  files: readonly string[],
): Promise<{ readonly nodeId: string; readonly root: Uint8Array }> {
  const shares = await Promise.all(files.map(async (file) => parseShare(await readSmall(file), file)));
  const [first] = shares;
  if (first === undefined) throw new NectarError('KEY_SHARES_MISSING', { given: 0, threshold: 1 });
  const { nodeId, threshold } = first;
  if (shares.some((share) => share.nodeId !== nodeId || share.threshold !== threshold))
    throw new NectarError('KEY_SHARE_INVALID', { source: files.join(', '), problem: 'they are of different kits' });
  if (shares.length < threshold) throw new NectarError('KEY_SHARES_MISSING', { given: shares.length, threshold });
  const root = threshold === 1 ? first.bytes : combineShares(shares.slice(0, threshold).map(({ bytes }) => bytes));
  if (root === undefined)
    throw new NectarError('KEY_SHARE_INVALID', { source: files.join(', '), problem: 'one is there twice, or cut off' });
  return { nodeId, root };
}

async function readSmall(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}

function checkOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, CHECK_CHARACTERS);
}
