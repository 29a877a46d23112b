import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadConfig } from '../../../appliance/config/index.ts';
import { Recorded } from '../../../appliance/gateway/schema-parts.ts';
import type { Keys } from '../../../appliance/keys/index.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Call } from '../../call.ts';
import { withNode } from '../../node-client.ts';
import { findClusterTarget } from '../../provision/kubernetes/cluster-target.ts';
import { withAuthority } from '../backup-authority.ts';
import { unlockKeys } from '../unlock-keys.ts';
import { type KnownRepository, rememberRepository } from './known-repositories.ts';
import { openTarget } from './open-target.ts';
import { type VerifiedRepository, verifyRepository } from './verify-repository.ts';

export interface VerifyRequest {
  readonly known: KnownRepository;
  readonly whole: boolean;
  readonly sample: number;
  /** Undefined: beside the home, on the disk where a restored home would lie. */
  readonly scratch: string | undefined;
  readonly passphraseFile: string | undefined;
  /** Nobody is there to be asked for a passphrase. */
  readonly unattended: boolean;
  onBytes(bytes: number): void;
}

export interface VerifiedOnRecord extends VerifiedRepository {
  /** Undefined: the node could not be told. */
  readonly auditLeaf: number | undefined;
}

/** Verifies a repository and tells the node, which shows it in its status and raises the alarm. */
export async function verifyAndRecord(call: Call<unknown>, request: VerifyRequest): Promise<VerifiedOnRecord> {
  const { home, terminal } = call;
  const { known, passphraseFile, whole, sample, onBytes } = request;
  const unlock = chooseUnlock(call, request);
  const target = await openTarget(known, terminal.signal);
  try {
    const done = await withAuthority({ home, terminal, passphraseFile }, (authority) =>
      verifyRepository({
        ...{ home, known, target, authority, unlock, whole, sample, onBytes },
        ...{ scratch: request.scratch ?? dirname(home), signal: terminal.signal },
      }),
    );
    const auditLeaf = await tellNode(call, done);
    if (done.faults.length === 0)
      await rememberRepository(home, { ...known, verifiedAt: new Date(terminal.now()).toISOString() });
    return { ...done, auditLeaf };
  } finally {
    await target.close();
  }
}

function chooseUnlock(
  { home, terminal }: Call<unknown>,
  { passphraseFile, unattended }: VerifyRequest,
): ((folder: string) => Promise<Keys>) | undefined {
  const { keyFile } = loadConfig({ home, env: terminal.env }).config.keys;
  if (unattended && passphraseFile === undefined && !isKeyExpected(home, keyFile)) return undefined;
  return (folder) => unlockKeys({ home: folder, terminal, keyFile, passphraseFile });
}

/**
 * Whether this machine is to have the key file. Of a node in a cluster it lies where it was made, which need not be where backups run;
 * of any other, one that is gone is an error.
 */
export function isKeyExpected(home: string, keyFile: string): boolean {
  return keyFile !== '' && (findClusterTarget(home) === undefined || existsSync(keyFile));
}

async function tellNode(call: Call<unknown>, done: VerifiedRepository): Promise<number | undefined> {
  const { repository, generation, opened, records, objects, bytes, leaves, milliseconds, faults } = done;
  const outcome = faults.length === 0 ? 'success' : 'failure';
  const counts = { records, objects, bytes, leaves, milliseconds, faults: faults.length };
  try {
    return await withNode(call, async (client) => {
      const note = { repository, generation, outcome, opened, ...counts };
      return (await client.json(Recorded, 'POST', '/v1/backups/verifications', note)).auditLeaf;
    });
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return undefined;
  }
}
