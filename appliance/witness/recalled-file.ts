import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { isNectarError } from '../../protocol/errors.ts';
import { canonicalBytes } from '../../protocol/merkle/audit-leaf.ts';
import { replaceFile } from '../durable-file.ts';
import { readJson } from './seen-logs.ts';

/** Members that are remembered to have answered: more than a network has witnesses of one log. */
export const MAX_ANSWERED = 256;
const PURPOSE = 'nectar/witness-recalled/1';
const MAC_KEY_BYTES = 32;

const Recalled = Type.Object(
  {
    /** Of the epoch that was asked for. */
    origin: Type.String({ maxLength: 256 }),
    answered: Type.Array(Type.String({ maxLength: 128 }), { maxItems: MAX_ANSWERED }),
    /** The largest head that one of them told; 0: none. */
    newest: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
const Sealed = Type.Object(
  { v: Type.Literal(2), mac: Type.String({ pattern: '^[0-9a-f]{64}$' }), recalled: Recalled },
  { additionalProperties: false },
);
export type Recalled = Static<typeof Recalled>;

export interface RecalledFile {
  /** Undefined where there is none that this node made: damaged, forged, of an earlier format. Then members are asked again. */
  read(): Promise<Recalled | undefined>;
  /** Resolves once durable. */
  write(recalled: Recalled): Promise<void>;
}

/**
 * `recalled` in the witness's folder: which members told what they know of the log before its newest epoch. It keeps the node from asking
 * again, so whoever may write to the folder and has none of the node's keys must not be able to say that all have answered.
 *
 * @param seed of the node's identity; the MAC's key derives from it.
 */
export function createRecalledFile(folder: string, seed: Uint8Array): RecalledFile {
  const path = join(folder, 'recalled');
  const key = new Uint8Array(hkdfSync('sha256', seed, '', PURPOSE, MAC_KEY_BYTES));
  const macOf = (recalled: Recalled): Buffer => createHmac('sha256', key).update(canonicalBytes(recalled)).digest();

  return {
    async read() {
      const found = await readJson<unknown>(path).catch((error: unknown) => {
        if (!isNectarError(error, 'WITNESS_STATE_INVALID')) throw error;
      });
      if (!Check(Sealed, found)) return undefined;
      return timingSafeEqual(Buffer.from(found.mac, 'hex'), macOf(found.recalled)) ? found.recalled : undefined;
    },
    async write(recalled) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const mac = macOf(recalled).toString('hex');
      await replaceFile(path, `${JSON.stringify({ v: 2, mac, recalled } satisfies Static<typeof Sealed>)}\n`, 0o600);
    },
  };
}
