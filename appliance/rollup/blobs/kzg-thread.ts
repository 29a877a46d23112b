import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { KzgReply, KzgRequest, ProofForm } from './kzg-messages.ts';

/** A blob as a transaction carries it to L1. */
export interface ProvenBlob {
  readonly blob: Uint8Array;
  readonly versionedHash: Hex;
  readonly commitment: Hex;
  readonly proofs: readonly Hex[];
}

/** KZG beside the node's own thread. A call rejects when the thread fails or was ended. */
export interface KzgThread {
  /** The versioned hash of a blob; undefined when the bytes are none. */
  versionedHash(blob: Uint8Array): Promise<Hex | undefined>;
  prove(blob: Uint8Array, form: ProofForm): Promise<ProvenBlob>;
  /** That the element at an index is what the blob's commitment says. */
  proveElement(blob: Uint8Array, index: number): Promise<{ readonly commitment: Hex; readonly proof: Hex }>;
  end(): Promise<void>;
}

export type KzgProgram = 'kzg-worker' | 'proof-worker';

const MAX_HEAP_MB = 512;
/** The trusted setup is some 50 MiB in memory: a node that meets no blobs for this long gives it back. */
const IDLE_MS = 60_000;

interface Waiting {
  resolve(reply: KzgReply): void;
  reject(error: Error): void;
}

/** Starts with the first blob: a node of a chain in calldata never has it. */
export function createKzgThread(program: KzgProgram, start: (program: KzgProgram) => Worker = startWorker): KzgThread {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  function begin(): Worker {
    const begun = start(program);
    const lost = (error?: unknown): void => {
      if (worker !== begun) return;
      worker = undefined;
      const cause = error instanceof Error ? error : new Error('the KZG thread ended');
      for (const { reject } of waiting.values()) reject(cause);
      waiting.clear();
    };
    begun.on('message', (reply: KzgReply) => {
      waiting.get(reply.id)?.resolve(reply);
      waiting.delete(reply.id);
      if (waiting.size > 0) return;
      begun.unref();
      idle = setTimeout(() => void end(), IDLE_MS).unref();
    });
    begun.on('error', lost);
    begun.on('exit', () => lost());
    begun.unref();
    return begun;
  }

  type Question<T> = T extends unknown ? Omit<T, 'id'> : never;
  function ask(question: Question<KzgRequest>): Promise<KzgReply> {
    clearTimeout(idle);
    worker ??= begin();
    const asked = worker;
    const id = next++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      // Idle it keeps no process running; while somebody waits for it, it does.
      asked.ref();
      asked.postMessage({ ...question, id });
    });
  }

  async function end(): Promise<void> {
    clearTimeout(idle);
    // Whoever waits for its end is work that the process must live for.
    worker?.ref();
    await worker?.terminate();
  }

  return {
    end,
    async versionedHash(blob) {
      const { commitment } = await ask({ kind: 'commitment', blob });
      return commitment === undefined ? undefined : versionedHashOf(commitment as Hex);
    },
    async proveElement(blob, index) {
      const { commitment, proofs } = await ask({ kind: 'element', blob, index });
      const [proof] = proofs;
      if (commitment === undefined || proof === undefined) throw new TypeError('not a blob');
      return { commitment: commitment as Hex, proof: proof as Hex };
    },
    async prove(blob, form) {
      const { commitment, proofs } = await ask({ kind: 'prove', blob, form });
      if (commitment === undefined) throw new TypeError('not a blob');
      return {
        blob,
        commitment: commitment as Hex,
        versionedHash: versionedHashOf(commitment as Hex),
        proofs: proofs as readonly Hex[],
      };
    },
  };
}

/** EIP-4844 `kzg_to_versioned_hash`. */
export function versionedHashOf(commitment: Hex): Hex {
  const digest = createHash('sha256').update(hexToBytes(commitment)).digest();
  digest[0] = 0x01;
  return `0x${digest.toString('hex')}`;
}

/** The program of the thread: beside this file in the sources, beside the bundle in a bundle. */
function startWorker(program: KzgProgram): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new Worker(new URL(`./${program}.${extension}`, import.meta.url), {
    name: program,
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}
