import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { NectarError } from '../../../protocol/errors.ts';

const Word = Type.Unsafe<`0x${string}`>(Type.String({ pattern: '^0x[0-9a-f]{64}$' }));
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** BLOCKHASH sees so many blocks back. */
export const MAX_HEADERS = 256;

/** What a snapshot says of itself; nothing of it is believed that L1 or a hash does not say too. */
const Manifest = Type.Object(
  {
    format: Type.Literal('nectar-snapshot/1'),
    l2ChainId: Type.String({ pattern: '^[1-9][0-9]{0,20}$' }),
    genesisHash: Word,
    /** The confirmed assertion. */
    nodeId: Word,
    blockHash: Word,
    sendRoot: Word,
    batch: Count,
    block: Count,
    /** The L1 block of the last batch before it, from which derivation goes on. */
    l1Number: Count,
    headers: Type.Integer({ minimum: 0, maximum: MAX_HEADERS }),
    messages: Count,
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof Manifest>;

const MAX_MANIFEST_BYTES = 4_096;

export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(JSON.stringify(manifest));
}

/** Throws ROLLUP_SNAPSHOT_INVALID. */
export function parseManifest(bytes: Uint8Array | undefined): Manifest {
  const refused = new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason: 'it is not a snapshot of this format' });
  if (bytes === undefined || bytes.length > MAX_MANIFEST_BYTES) throw refused;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (Value.Check(Manifest, value)) return value;
  } catch {}
  throw refused;
}
