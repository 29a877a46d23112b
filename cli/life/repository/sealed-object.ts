import { randomBytes } from 'node:crypto';
import { nodeEnvelopeCrypto } from '../../../appliance/keys/index.ts';
import { NONCE_PREFIX_BYTES, SALT_BYTES, SEGMENT_BYTES } from '../../../protocol/envelope/format.ts';
import { createOpener, createSealer } from '../../../protocol/envelope/stream.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** The key of a repository, and which one it is. */
export interface RepositorySecret {
  readonly repository: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What a sealed object is: part of its authenticated data, so that a pack does not pass for a manifest. */
export type SealedKind = 'pack' | 'list' | 'manifest' | 'table';

function secretOf({ repository, key }: RepositorySecret, kind: SealedKind): { dek: Uint8Array; aad: Uint8Array } {
  return { dek: key, aad: Buffer.from(`nectar/backup-object/1 ${repository} ${kind}`) };
}

/** Seals a stream as a record is sealed: Tink's AES256_GCM_HKDF_1MB. Memory: one segment. */
export async function* sealObject(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  secret: RepositorySecret,
  kind: SealedKind,
): AsyncGenerator<Uint8Array> {
  const header = { salt: randomBytes(SALT_BYTES), noncePrefix: randomBytes(NONCE_PREFIX_BYTES) };
  const sealer = createSealer(nodeEnvelopeCrypto, secretOf(secret, kind), header);
  const buffer = Buffer.allocUnsafe(SEGMENT_BYTES);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === sealer.capacity()) {
        yield sealer.seal(buffer.subarray(0, filled), false);
        filled = 0;
      }
      const take = Math.min(chunk.length - at, sealer.capacity() - filled);
      buffer.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
    }
  }
  yield sealer.seal(buffer.subarray(0, filled), true);
}

/** Opens what sealObject made. @throws NectarError BACKUP_ALTERED for anything else, at the segment that is wrong */
export async function* openObject(
  source: AsyncIterable<Uint8Array>,
  secret: RepositorySecret,
  kind: SealedKind,
): AsyncGenerator<Uint8Array> {
  let opener: ReturnType<typeof createOpener>;
  let segment = 0;
  const open = (block: Uint8Array, last: boolean): Uint8Array => {
    opener ??= createOpener(nodeEnvelopeCrypto, secretOf(secret, kind), block);
    const plain = opener?.open(block, segment, last);
    if (plain === undefined) throw new NectarError('BACKUP_ALTERED', { entry: `a ${kind}` });
    segment += 1;
    return plain;
  };
  let held = Buffer.alloc(0);
  for await (const chunk of source) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    // The last one is only known at the end.
    while (held.length > SEGMENT_BYTES) {
      yield open(held.subarray(0, SEGMENT_BYTES), false);
      held = held.subarray(SEGMENT_BYTES);
    }
  }
  yield open(held, true);
}

/** A whole object that fits into memory. @throws NectarError BACKUP_ALTERED, BACKUP_FORMAT_INVALID */
export async function openWhole(
  source: AsyncIterable<Uint8Array>,
  secret: RepositorySecret,
  { kind, maxBytes }: { readonly kind: SealedKind; readonly maxBytes: number },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of openObject(source, secret, kind)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new NectarError('BACKUP_FORMAT_INVALID', { problem: `a ${kind} is too large` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
