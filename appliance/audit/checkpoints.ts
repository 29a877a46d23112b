import type { RootHash } from '../../protocol/brand.ts';
import { encodeCheckpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { encodeNote, noteSignature } from '../../protocol/merkle/note.ts';
import type { VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { type Disk, writeError } from './disk.ts';
import type { Log, Snapshot } from './log.ts';
import { CHECKPOINT_PATH } from './recover.ts';

/** Ed25519 over the bytes. The private key stays where it is. */
export interface CheckpointSigner {
  sign(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A checkpoint as the log hands it out. */
export interface IssuedCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: RootHash;
  /** The signed note. */
  readonly note: string;
}

/** A checkpoint with the tree that it was signed for. */
export interface SignedSnapshot {
  readonly issued: IssuedCheckpoint;
  readonly at: Snapshot;
}

/** Signs checkpoints, one after the other, each durable with its tiles before anyone sees it. */
export interface Checkpoints {
  /** The checkpoint of the tree as it is now. */
  issue(): Promise<SignedSnapshot>;
  /** Size of the last one. */
  readonly size: number;
}

export interface CheckpointsDeps {
  readonly disk: Disk;
  readonly log: Log;
  /** Of the epoch that is signed now. */
  readonly key: () => VerifierKey;
  readonly signer: CheckpointSigner;
  readonly onIssued: () => void;
}

export function createCheckpoints({ disk, log, key: keyNow, signer, onIssued }: CheckpointsDeps): Checkpoints {
  let last: SignedSnapshot | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function sign(): Promise<SignedSnapshot> {
    const at = log.snapshot();
    const key = keyNow();
    if (last?.at.size === at.size && last.issued.origin === key.name) return last;
    const text = encodeCheckpoint({ origin: key.name, size: at.size, root: at.root });
    const signature = await signer.sign(Buffer.from(text, 'utf8'));
    const note = encodeNote({ text, signatures: [noteSignature(key, signature)] });
    // A signer with another key than it says would leave a checkpoint that bars the next start.
    verifyCheckpoint(note, key);
    try {
      await log.writeTiles(at);
      await disk.replace([{ path: CHECKPOINT_PATH, bytes: Buffer.from(note, 'utf8') }]);
    } catch (error) {
      throw writeError(error, CHECKPOINT_PATH);
    }
    onIssued();
    last = {
      issued: { origin: key.name, size: at.size, root: Buffer.from(at.root).toString('hex') as RootHash, note },
      at,
    };
    return last;
  }

  return {
    issue() {
      const issued = turn.then(sign);
      turn = issued.catch(() => undefined);
      return issued;
    },
    get size() {
      return last?.at.size ?? 0;
    },
  };
}
