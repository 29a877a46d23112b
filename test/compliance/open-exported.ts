import { nodeEnvelopeCrypto as crypto } from '../../appliance/keys/index.ts';
import { plaintextBytes, SEGMENT_BYTES, segmentCount } from '../../protocol/envelope/format.ts';
import { createOpener } from '../../protocol/envelope/stream.ts';

/** Opens an exported blob by its keyset alone: the key is what the 32 bytes at the end of the keyset's value are. */
export function openExported(
  { keyset, associatedData }: { readonly keyset: Uint8Array; readonly associatedData: string },
  blob: Uint8Array,
): Buffer {
  const { key } = JSON.parse(Buffer.from(keyset).toString());
  const dek = Buffer.from(key[0].keyData.value, 'base64').subarray(-32);
  const opener = createOpener(
    crypto,
    { dek, aad: Buffer.from(associatedData, 'hex') },
    blob.subarray(0, SEGMENT_BYTES),
  );
  const segments = segmentCount(plaintextBytes(blob.length) ?? 0);
  const opened = Array.from({ length: segments }, (_, i) =>
    opener?.open(blob.slice(i * SEGMENT_BYTES, (i + 1) * SEGMENT_BYTES), i, i === segments - 1),
  );
  if (opened.some((segment) => segment === undefined)) throw new Error('does not open');
  return Buffer.concat(opened as Uint8Array[]);
}
