import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import { Check as matches } from 'typebox/value';
import { replaceFile } from '../../appliance/durable-file.ts';
import type { Waiver } from '../../hardening/finding.ts';
import { NectarError } from '../../protocol/errors.ts';
import { hardeningPath, makeHardeningFolder } from './folder.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_WAIVERS = 512;
/** A decision to live with a failure is taken anew every year (45 CFR 164.308(a)(8): periodic evaluation). */
const MAX_DAYS = 366;
const DAY_MS = 86_400_000;
export const MAX_OWNER_CHARS = 128;
export const MAX_REASON_CHARS = 1024;

/** A waiver with the leaf of the audit log that says who made it. */
export interface KeptWaiver extends Waiver {
  readonly auditLeaf: number;
}

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const strict = { additionalProperties: false };
const schema = Type.Object(
  {
    version: Type.Literal(1),
    waivers: Type.Array(
      Type.Object(
        {
          check: text(64),
          owner: text(MAX_OWNER_CHARS),
          reason: text(MAX_REASON_CHARS),
          until: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d$' }),
          since: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT[0-9:.]{8,18}Z$' }),
          auditLeaf: Type.Integer({ minimum: 0 }),
        },
        strict,
      ),
      { maxItems: MAX_WAIVERS },
    ),
  },
  strict,
);

/** The waivers of a home; none where no file is. @throws NectarError HARDENING_WAIVERS_DAMAGED */
export async function readWaivers(home: string): Promise<readonly KeptWaiver[]> {
  const path = waiversPath(home);
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('HARDENING_WAIVERS_DAMAGED', { path, reason }, { cause });
  };
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? [] : refuse(code ?? message, error);
  }
  if (bytes.length > MAX_FILE_BYTES) return refuse(`longer than ${MAX_FILE_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return refuse('not JSON', error);
  }
  return matches(schema, value) ? value.waivers : refuse('another shape than this version writes');
}

/** One waiver of each check: a new one takes the place of the old. Durable when it resolves. */
export async function keepWaiver(home: string, waiver: KeptWaiver): Promise<void> {
  const others = (await readWaivers(home)).filter(({ check }) => check !== waiver.check);
  if (others.length >= MAX_WAIVERS) {
    throw new NectarError('HARDENING_WAIVER_INVALID', { problem: `${MAX_WAIVERS} are waived already` });
  }
  await writeWaivers(home, [...others, waiver]);
}

/** Durable when it resolves. */
export async function dropWaiver(home: string, check: string): Promise<void> {
  await writeWaivers(
    home,
    (await readWaivers(home)).filter((waiver) => waiver.check !== check),
  );
}

/** @throws NectarError HARDENING_WAIVER_UNKNOWN */
export async function getWaiver(home: string, check: string): Promise<KeptWaiver> {
  const waiver = (await readWaivers(home)).find((candidate) => candidate.check === check);
  if (waiver === undefined) throw new NectarError('HARDENING_WAIVER_UNKNOWN', { id: check });
  return waiver;
}

/** Who, why and until when: each bounded. @throws NectarError HARDENING_WAIVER_INVALID */
export function parseWaiver(given: Pick<Waiver, 'check' | 'owner' | 'reason' | 'until'>, now: number): Waiver {
  const { check, owner, reason, until } = given;
  const refuse = (problem: string): never => {
    throw new NectarError('HARDENING_WAIVER_INVALID', { problem });
  };
  if (owner.trim() === '' || owner.length > MAX_OWNER_CHARS) refuse(`an owner has 1 to ${MAX_OWNER_CHARS} characters`);
  if (reason.trim() === '' || reason.length > MAX_REASON_CHARS) {
    refuse(`a reason has 1 to ${MAX_REASON_CHARS} characters`);
  }
  const day = /^\d{4}-\d\d-\d\d$/.test(until) ? Date.parse(`${until}T00:00:00Z`) : Number.NaN;
  // JavaScript reads 2027-02-31 as a day of March in some forms: the day must be written back as it was given.
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== until) {
    refuse(`${until} is no day: YYYY-MM-DD`);
  }
  const today = new Date(now).toISOString().slice(0, 10);
  if (until < today) refuse(`${until} is over`);
  if (day - now > MAX_DAYS * DAY_MS) refuse(`${until} is more than a year away`);
  return { check, owner: owner.trim(), reason: reason.trim(), until, since: new Date(now).toISOString() };
}

async function writeWaivers(home: string, waivers: readonly KeptWaiver[]): Promise<void> {
  await makeHardeningFolder(home);
  await replaceFile(waiversPath(home), `${JSON.stringify({ version: 1, waivers }, undefined, 2)}\n`, 0o600);
}

function waiversPath(home: string): string {
  return hardeningPath(home, 'waivers.json');
}
