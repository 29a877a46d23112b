import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const Note = Type.Object({
  v: Type.Literal(1),
  recordId: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  version: Type.Integer({ minimum: 1 }),
  createdAt: Type.String({ maxLength: 40 }),
  bytes: Type.Integer({ minimum: 0 }),
  /** Bytes from the beginning that are durable. */
  done: Type.Integer({ minimum: 0 }),
  /** CRC-32 of them: sees what a disk did, not what a person did, who could change the finished file just as well. */
  crc: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
});

/** What an earlier run kept of a download. */
export type KeptPart = Static<typeof Note>;

/** Undefined for what is no note of ours. @throws SyntaxError for what is no JSON */
export function parseNote(text: string): KeptPart | undefined {
  const note: unknown = JSON.parse(text);
  return Value.Check(Note, note) ? note : undefined;
}
