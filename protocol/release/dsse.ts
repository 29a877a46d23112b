import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';
import { encodeBase64, parseBase64 } from '../merkle/base64.ts';

/** in-toto attestations travel under this type (in-toto Attestation Framework 1.0, envelope). */
export const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';
/** A statement names some hundred packages; a longer one is no release of ours. */
export const MAX_ENVELOPE_BYTES = 2 * 1024 * 1024;
const MAX_SIGNATURES = 8;
const SIGNATURE_BYTES = 64;

export interface EnvelopeSignature {
  /** A hint and no more: what is signed does not cover it. */
  readonly keyid: string;
  /** Ed25519 (RFC 8032), 64 bytes. */
  readonly sig: Uint8Array;
}

/** A DSSE envelope (secure-systems-lab/dsse 1.0.2). */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

/** An Ed25519 public key, 32 bytes, and the name that envelopes call it by. */
export interface EnvelopeKey {
  readonly keyid: string;
  readonly bytes: Uint8Array;
}

/** PAE of the DSSE protocol: lengths are in it, so that no other type and payload give the same bytes. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const { length } = utf8ToBytes(payloadType);
  return concatBytes(utf8ToBytes(`DSSEv1 ${length} ${payloadType} ${payload.length} `), payload);
}

export function encodeEnvelope({ payloadType, payload, signatures }: Envelope): string {
  const signed = signatures.map(({ keyid, sig }) => ({ keyid, sig: encodeBase64(sig) }));
  return `${JSON.stringify({ payloadType, payload: encodeBase64(payload), signatures: signed })}\n`;
}

/**
 * Reads an envelope: size, then shape. Nothing in it is believed before `verifyEnvelope`.
 *
 * @throws NectarError RELEASE_SIGNATURE_INVALID
 */
export function parseEnvelope(text: string, path: string): Envelope {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('RELEASE_SIGNATURE_INVALID', { path, reason }, { cause });
  };
  if (text.length > MAX_ENVELOPE_BYTES) return refuse(`longer than ${MAX_ENVELOPE_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse('not an envelope of a statement', error);
  }
  const { payloadType, payload, signatures } = (value ?? {}) as Record<string, unknown>;
  if (payloadType !== IN_TOTO_PAYLOAD) return refuse('not an envelope of a statement');
  if (!Array.isArray(signatures) || signatures.length === 0) return refuse('the envelope has no signature');
  if (signatures.length > MAX_SIGNATURES) return refuse(`more than ${MAX_SIGNATURES} signatures`);
  const bytes = fromBase64(payload);
  const parsed = signatures.map((one) => parseSignature(one));
  if (bytes === undefined || parsed.some((one) => one === undefined)) return refuse('the envelope is malformed');
  return { payloadType, payload: bytes, signatures: parsed.flatMap((one) => one ?? []) };
}

/**
 * The payload, when one of `keys` signed it.
 *
 * @throws NectarError RELEASE_KEY_UNKNOWN when no signature names a key of `keys` and none holds by one,
 *   RELEASE_SIGNATURE_INVALID when one names such a key and does not hold
 */
export function verifyEnvelope(envelope: Envelope, keys: readonly EnvelopeKey[], path: string): Uint8Array {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  const holds = envelope.signatures.some(({ sig }) => keys.some(({ bytes }) => isSignature(sig, message, bytes)));
  if (holds) return envelope.payload;
  const named = envelope.signatures.map(({ keyid }) => keyid);
  if (keys.some(({ keyid }) => named.includes(keyid)))
    throw new NectarError('RELEASE_SIGNATURE_INVALID', { path, reason: 'the signature does not hold' });
  throw new NectarError('RELEASE_KEY_UNKNOWN', { path, key: named[0]?.slice(0, 16) ?? '' });
}

function isSignature(sig: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  try {
    // Strict (RFC 8032, no cofactor slack): one signature has one form.
    return ed25519.verify(sig, message, key, { zip215: false });
  } catch {
    return false;
  }
}

function parseSignature(value: unknown): EnvelopeSignature | undefined {
  const { keyid, sig } = (value ?? {}) as Record<string, unknown>;
  const bytes = fromBase64(sig);
  if (typeof keyid !== 'string' || !/^[0-9a-f]{64}$/.test(keyid) || bytes?.length !== SIGNATURE_BYTES) return undefined;
  return { keyid, sig: bytes };
}

/** Its one canonical spelling; undefined for anything else. */
function fromBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return parseBase64(value);
  } catch {
    return undefined;
  }
}
