import type { PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type SignedCheckpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { encodeVerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { verifyConsistency } from '../../protocol/merkle/verify.ts';
import { witnessKeyOf } from '../../protocol/merkle/witness-key.ts';
import {
  encodeWitnessRequest,
  parseWitnessAnswer,
  type WitnessAnswer,
  type WitnessRefusal,
} from '../../protocol/network/witness-exchange.ts';
import { addCosignatures, logKey } from './cosigned-checkpoint.ts';
import type { WitnessDeps } from './needs.ts';

/** What asking a witness came to. */
export type Asked =
  | { readonly is: 'cosigned'; readonly line: string; readonly note: string; readonly size: number }
  /** The witness has a checkpoint of ours that our log has not, or not so. */
  | { readonly is: 'contradicted'; readonly note: string }
  | { readonly is: 'refused'; readonly reason: WitnessRefusal | 'behind' };

/**
 * Asks one member to cosign our newest checkpoint. What it says that we signed before is held against our own log: a log that
 * was put back to an older copy learns here what it has forgotten, before it signs anything else that is shown around.
 */
export async function askWitness(
  peerId: PeerIdText,
  known: number,
  deps: Pick<WitnessDeps, 'audit' | 'ask'> & { readonly signal: AbortSignal },
): Promise<Asked> {
  let old = known;
  for (let attempt = 0; attempt < 2; attempt++) {
    const { answer, checkpoint } = await askOnce(peerId, old, deps);
    const key = logKey(checkpoint.origin, deps.audit.publicKey);
    if (answer.type === 'refused') return { is: 'refused', reason: answer.reason };
    if (answer.type === 'cosigned') {
      const note = addCosignatures(checkpoint.note, [answer.line]);
      // Its own line must verify: a witness that answers with anything else has said nothing.
      const signed = verifyCheckpoint(note, key, [witnessKeyOf(peerId)]);
      if (signed.signatures.length < 2) throw invalid('the cosignature is of somebody else');
      return { is: 'cosigned', line: answer.line, note: checkpoint.note, size: checkpoint.size };
    }
    if (answer.type === 'known') throw invalid('it answers another question');
    if (answer.note === '') {
      old = 0;
      continue;
    }
    const theirs = verifyCheckpoint(answer.note, key);
    if (await contradicts(theirs, deps)) return { is: 'contradicted', note: answer.note };
    old = theirs.size;
  }
  return { is: 'refused', reason: 'behind' };
}

async function askOnce(
  peerId: PeerIdText,
  old: number,
  { audit, ask, signal }: Pick<WitnessDeps, 'audit' | 'ask'> & { readonly signal: AbortSignal },
): Promise<{ answer: WitnessAnswer; checkpoint: { origin: string; size: number; note: string } }> {
  const { checkpoint, path } = await audit.consistency(old);
  const proof = path.map((hash) => Buffer.from(hash, 'hex'));
  const vkey = encodeVerifierKey(logKey(checkpoint.origin, audit.publicKey));
  const request = encodeWitnessRequest({ vkey, old, proof, note: checkpoint.note });
  return { answer: parseWitnessAnswer(await ask(peerId, request, signal)), checkpoint };
}

/** Whether a checkpoint that we signed once is not of the log that we have. */
async function contradicts(theirs: SignedCheckpoint, { audit }: Pick<WitnessDeps, 'audit'>): Promise<boolean> {
  const { size } = await audit.treeHead();
  if (theirs.size > size) return true;
  const { checkpoint, path } = await audit.consistency(theirs.size);
  try {
    const head = { size: checkpoint.size, root: Buffer.from(checkpoint.root, 'hex') };
    verifyConsistency(
      theirs,
      head,
      path.map((hash) => Buffer.from(hash, 'hex')),
    );
    return false;
  } catch (error) {
    if (error instanceof NectarError && error.code === 'AUDIT_CONSISTENCY_INVALID') return true;
    throw error;
  }
}

function invalid(problem: string): NectarError<'NETWORK_MESSAGE_INVALID'> {
  return new NectarError('NETWORK_MESSAGE_INVALID', { message: 'witness answer', problem });
}
