import { randomBytes } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { NectarError } from '../../protocol/errors.ts';
import { canonicalBytes } from '../../protocol/merkle/audit-leaf.ts';
import { createDisk, type Disk } from './disk.ts';
import { createFileMac } from './known-heads.ts';

const Restored = Type.Object(
  {
    /** When the operator restored, milliseconds: what left the machine later is not explained by it. */
    at: Type.Integer({ minimum: 0 }),
    /** Of the epoch that it begins. */
    id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  },
  { additionalProperties: false },
);
const Sealed = Type.Object(
  { v: Type.Literal(1), mac: Type.String({ pattern: '^[0-9a-f]{64}$' }), restored: Restored },
  { additionalProperties: false },
);
type Restored = Static<typeof Restored>;

/** `restored` below the log: a restore was declared, by somebody who had the keys; the next start begins an epoch with it. */
export const RESTORED_PATH = 'restored';
const PURPOSE = 'nectar/audit-restored/1';
const MAX_FILE_BYTES = 1024;

/** Marks the log in a folder as restored. @param bodyKey the node's audit-body key */
export async function markRestored(folder: string, bodyKey: Uint8Array, at: number): Promise<void> {
  const restored: Restored = { at, id: randomBytes(8).toString('hex') };
  const mac = createFileMac(bodyKey, PURPOSE).make(restored);
  await createDisk(folder).replace([{ path: RESTORED_PATH, bytes: canonicalBytes({ v: 1, mac, restored }) }]);
}

/** The mark of a restore; undefined when there is none. Throws AUDIT_BUNDLE_INVALID for one that these keys did not make. */
export async function readRestored(disk: Disk, bodyKey: Uint8Array): Promise<Restored | undefined> {
  const bytes = await disk.read(RESTORED_PATH);
  if (bytes === undefined) return undefined;
  const sealed = bytes.length > MAX_FILE_BYTES ? undefined : parseSealed(bytes);
  if (sealed !== undefined && createFileMac(bodyKey, PURPOSE).isOf(sealed.restored, sealed.mac)) return sealed.restored;
  throw new NectarError('AUDIT_BUNDLE_INVALID', { path: RESTORED_PATH, reason: 'it does not authenticate' });
}

function parseSealed(bytes: Uint8Array): Static<typeof Sealed> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return Check(Sealed, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
