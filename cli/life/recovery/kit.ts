import type { Key } from 'openpgp';
import { splitSecret } from '../../../protocol/envelope/shamir.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { fingerprintOf } from '../../harden/report-key.ts';
import { encodeShare } from './share.ts';

export interface KitRequest {
  readonly nodeId: string;
  readonly createdAt: string;
  readonly root: Uint8Array;
  readonly officers: readonly Key[];
  /** How many officers it takes; 1: any one. */
  readonly threshold: number;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** The kit as it is kept: who can open what, and for each officer a message that gpg opens too. */
export interface RecoveryKit {
  readonly format: 'nectar-byon-recovery-kit/1';
  readonly nodeId: string;
  readonly createdAt: string;
  readonly threshold: number;
  readonly officers: readonly { readonly fingerprint: string; readonly user: string; readonly message: string }[];
}

/**
 * Seals the root key to recovery officers: to each of them whole, or to each a share of which `threshold` give it back. Fewer have
 * nothing. @throws NectarError KEY_OFFICER_INVALID
 */
export async function makeKit(request: KitRequest): Promise<RecoveryKit> {
  const { nodeId, createdAt, officers, threshold } = request;
  const shares = sharesOf(request);
  const sealed = [];
  for (const [index, key] of officers.entries()) {
    const bytes = shares[index] ?? request.root;
    const message = await sealTo(key, encodeShare({ nodeId, threshold, bytes }));
    sealed.push({ fingerprint: fingerprintOf(key), user: key.getUserIDs()[0] ?? '', message });
  }
  for (const share of shares) share.fill(0);
  return { format: 'nectar-byon-recovery-kit/1', nodeId, createdAt, threshold, officers: sealed };
}

function sharesOf({ root, officers, threshold, randomBytes }: KitRequest): Uint8Array[] {
  if (threshold === 1) return [];
  const random = randomBytes(root.length * (threshold - 1));
  try {
    return splitSecret(root, { shares: officers.length, threshold, random });
  } finally {
    random.fill(0);
  }
}

async function sealTo(key: Key, text: string): Promise<string> {
  const { createMessage, encrypt } = await import('openpgp');
  try {
    const message = await createMessage({ text });
    return String(await encrypt({ message, encryptionKeys: key }));
  } catch (cause) {
    const fingerprint = fingerprintOf(key);
    throw new NectarError('KEY_OFFICER_INVALID', { fingerprint, problem: 'nothing can be encrypted to it' }, { cause });
  }
}
