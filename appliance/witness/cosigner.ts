import type { PeerIdText } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { type Checkpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { cosignedMessage, encodeTimestampedSignature } from '../../protocol/merkle/cosignature.ts';
import { keyOfEpoch } from '../../protocol/merkle/epoch.ts';
import { encodeNote, encodeSignatureLine, noteSignature, parseNote } from '../../protocol/merkle/note.ts';
import { keyId, parseVerifierKey, SIGNATURE_TYPE, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { verifyConsistency } from '../../protocol/merkle/verify.ts';
import {
  parseWitnessRequest,
  type WitnessAnswer,
  type WitnessRequest,
} from '../../protocol/network/witness-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import type { ForkKind, SeenHead, SeenLogs } from './seen-logs.ts';

export interface CosignerDeps {
  readonly seen: SeenLogs;
  /** Our witness key and its signature: Ed25519, 64 bytes. */
  readonly key: VerifierKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
  readonly log: Logger;
  readonly onFork: (kind: ForkKind) => void;
  readonly now: () => number;
}

/** Judges one request of a member whose peer id the handshake proved. Never throws for what the member sent. */
export type Cosigner = (peerId: PeerIdText, request: Uint8Array) => Promise<WitnessAnswer>;

const EMPTY_HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * The rules of C2SP tlog-witness. Adversary: a member whose log tells two stories, and wants both cosigned. One request of a
 * member at a time; the new head is durable before its cosignature leaves; a head that does not continue what we have seen is
 * refused, and kept as evidence when it is signed.
 */
export function createCosigner(deps: CosignerDeps): Cosigner {
  const turns = new Map<PeerIdText, Promise<unknown>>();
  return async (peerId, bytes) => {
    const turn = (turns.get(peerId) ?? Promise.resolve()).then(() => judge(peerId, bytes, deps));
    const settled = turn.catch(() => undefined);
    turns.set(peerId, settled);
    try {
      return await turn;
    } catch (error) {
      if (isNectarError(error, 'WITNESS_STATE_INVALID') || !isNectarError(error)) {
        deps.log.error({ peerId, err: error }, 'a checkpoint could not be cosigned');
        return { type: 'refused', reason: 'failed' };
      }
      deps.log.debug({ peerId, code: error.code }, 'a member asked to cosign what is no checkpoint');
      return { type: 'refused', reason: 'malformed' };
    } finally {
      if (turns.get(peerId) === settled) turns.delete(peerId);
    }
  };
}

async function judge(peerId: PeerIdText, bytes: Uint8Array, deps: CosignerDeps): Promise<WitnessAnswer> {
  const request = parseWitnessRequest(bytes);
  const key = parseVerifierKey(request.vkey);
  if (key.type !== SIGNATURE_TYPE.ed25519) throw new NectarError('AUDIT_VKEY_INVALID', { reason: 'it is no log key' });
  const checkpoint = verifyCheckpoint(request.note, key);
  const seen = await deps.seen.find(peerId, checkpoint.origin);
  const at: SeenHead = seen ?? {
    v: 1,
    origin: checkpoint.origin,
    vkey: request.vkey,
    size: 0,
    root: EMPTY_HEX,
    note: '',
  };
  const fork = async (kind: ForkKind): Promise<WitnessAnswer> => {
    await keepEvidence(kind, { peerId, request, seen: at }, deps);
    return { type: 'refused', reason: 'inconsistent' };
  };
  if (at.vkey !== request.vkey) return fork('key');
  if (checkpoint.size === at.size && hex(checkpoint.root) !== at.root) return fork('split');
  // What the log believes that we have, and an older checkpoint than ours: it is told what it once signed.
  if (request.old !== at.size || checkpoint.size < at.size) return { type: 'conflict', note: at.note };
  try {
    verifyConsistency({ size: at.size, root: Buffer.from(at.root, 'hex') }, checkpoint, request.proof);
  } catch (error) {
    if (!isNectarError(error, 'AUDIT_CONSISTENCY_INVALID')) throw error;
    return fork('unproven');
  }
  return cosign(checkpoint, { peerId, request, key }, deps);
}

async function cosign(
  checkpoint: Checkpoint,
  { peerId, request, key }: { peerId: PeerIdText; request: WitnessRequest; key: VerifierKey },
  deps: CosignerDeps,
): Promise<WitnessAnswer> {
  const { text, signatures } = parseNote(request.note);
  // The log's own line only: others say nothing that we have checked.
  const { origin, size } = checkpoint;
  const epoch = keyOfEpoch(key, origin) ?? key;
  const own = signatures.filter(({ name, keyId: id }) => name === epoch.name && hex(id) === hex(keyId(epoch)));
  const note = encodeNote({ text, signatures: own });
  const head: SeenHead = { v: 1, origin, vkey: request.vkey, size, root: hex(checkpoint.root), note };
  if (!(await deps.seen.keep(peerId, head))) return { type: 'refused', reason: 'busy' };
  const timestamp = Math.floor(deps.now() / 1_000);
  const signature = encodeTimestampedSignature({ timestamp, signature: deps.sign(cosignedMessage(text, timestamp)) });
  return { type: 'cosigned', line: encodeSignatureLine(noteSignature(deps.key, signature)) };
}

async function keepEvidence(
  kind: ForkKind,
  { peerId, request, seen }: { peerId: PeerIdText; request: WitnessRequest; seen: SeenHead },
  deps: CosignerDeps,
): Promise<void> {
  const proof = request.proof.map(hex);
  const presented = { vkey: request.vkey, note: request.note, proof };
  await deps.seen.keepFork({ v: 1, kind, peerId, at: new Date(deps.now()).toISOString(), seen, presented });
  deps.onFork(kind);
  const level = kind === 'split' ? 'error' : 'warn';
  deps.log[level](
    { peerId, kind, size: seen.size },
    'the audit log of a member does not continue what it showed before',
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
