import { hash } from 'node:crypto';
import { NectarError } from '../../protocol/errors.ts';
import { type AuditLeaf, BODY_SALT_BYTES, encodeAuditLeaf, isEventType } from '../../protocol/merkle/audit-leaf.ts';
import { canonicalText } from '../../protocol/merkle/canonical-text.ts';
import { type Hash, leafHash } from '../../protocol/merkle/hash.ts';
import type { AuditInput } from './audit-input.ts';
import { type AuditEventJson, toAuditEvent, wellFormed } from './balp.ts';

export type { AccessContext, AuditInput } from './audit-input.ts';

/** An event made ready to be appended: only the index is missing. */
export interface PreparedEntry {
  readonly leaf: Uint8Array;
  readonly leafHash: Hash;
  readonly salt: Uint8Array;
  readonly body: Uint8Array;
}

export interface PrepareDeps {
  readonly origin: string;
  readonly maxBodyBytes: number;
  /** Milliseconds. */
  readonly time: number;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Writes leaf and body of an event. Throws AUDIT_EVENT_INVALID when it is nothing that can be recorded. */
export function prepareEntry(
  event: AuditInput,
  { origin, maxBodyBytes, time: milliseconds, randomBytes }: PrepareDeps,
): PreparedEntry {
  if (!isEventType(event.type))
    throw new NectarError('AUDIT_EVENT_INVALID', { reason: 'the type is not a dotted lower-case word' });
  const time = new Date(milliseconds).toISOString();
  const body = encodeBody(toAuditEvent(event, { origin, time }));
  if (body.length > maxBodyBytes)
    throw new NectarError('AUDIT_EVENT_INVALID', { reason: `the body is longer than ${maxBodyBytes} bytes` });
  // A salt of its own keeps anyone from guessing who did what by hashing likely bodies.
  const salt = randomBytes(BODY_SALT_BYTES);
  const leaf: AuditLeaf = {
    bodyHash: hash('sha256', Buffer.concat([salt, body]), 'hex'),
    outcome: event.outcome,
    time,
    type: event.type,
    v: 1,
  };
  const bytes = encodeAuditLeaf(leaf);
  return { leaf: bytes, leafHash: leafHash(bytes), salt, body };
}

function encodeBody(event: AuditEventJson): Uint8Array {
  try {
    return Buffer.from(canonicalText(event));
  } catch {
    return Buffer.from(canonicalText(wellFormed(event))); // a lone surrogate in what a client sent
  }
}
