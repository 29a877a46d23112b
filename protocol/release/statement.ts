import { utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';
import { parseUtf8 } from '../merkle/text.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
/** How a release of ours is built (docs/design/0026): what its external parameters mean. */
const BUILD_TYPE = 'urn:nectar-byon:release-build:v1';
const MAX_SUBJECTS = 256;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,149}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const VERSION = /^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]{1,64})?$/;

/** Something that went into a build: a URI, and the digest by which it was taken. */
export interface Material {
  readonly uri: string;
  readonly digest: Readonly<Record<string, string>>;
}

export interface Provenance {
  readonly version: string;
  /** Name of each artifact without folders -> SHA-256 in hex. */
  readonly subjects: ReadonlyMap<string, string>;
  readonly source: Material;
  readonly materials: readonly Material[];
  /** URI of who built it. */
  readonly builder: string;
  /** What the build ran on, in the builder's words. */
  readonly platform: Readonly<Record<string, string>>;
  readonly startedOn: string;
  readonly finishedOn: string;
}

/** What a verifier goes by; the rest of a statement is for people and their tools. */
export interface VerifiedStatement {
  readonly version: string;
  readonly subjects: ReadonlyMap<string, string>;
  readonly finishedOn: string;
}

/** An in-toto Statement 1 whose predicate is SLSA provenance 1 (slsa.dev/spec/v1.0/provenance). */
export function encodeStatement(provenance: Provenance): Uint8Array {
  const { version, subjects, source, materials, builder, platform, startedOn, finishedOn } = provenance;
  const statement = {
    _type: STATEMENT,
    subject: [...subjects].map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: PROVENANCE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { version, source: source.uri },
        internalParameters: platform,
        resolvedDependencies: [source, ...materials],
      },
      runDetails: { builder: { id: builder }, metadata: { startedOn, finishedOn } },
    },
  };
  return utf8ToBytes(JSON.stringify(statement));
}

/**
 * Reads a statement whose signature was verified. Its builder is ours, so a shape that we do not write is refused.
 *
 * @throws NectarError RELEASE_SIGNATURE_INVALID
 */
export function parseStatement(payload: Uint8Array, path: string): VerifiedStatement {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('RELEASE_SIGNATURE_INVALID', { path, reason }, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(payload) ?? '');
  } catch (error) {
    return refuse('the statement is not JSON', error);
  }
  const { _type, subject, predicateType, predicate } = asObject(value);
  if (_type !== STATEMENT || predicateType !== PROVENANCE) return refuse('not a statement of SLSA provenance 1');
  const definition = asObject(asObject(predicate).buildDefinition);
  if (definition.buildType !== BUILD_TYPE) return refuse('the statement is of another kind of build');
  const { version } = asObject(definition.externalParameters);
  if (typeof version !== 'string' || !VERSION.test(version)) return refuse('the statement names no version');
  const { finishedOn } = asObject(asObject(asObject(predicate).runDetails).metadata);
  if (typeof finishedOn !== 'string' || Number.isNaN(Date.parse(finishedOn)))
    return refuse('the statement has no date');
  const subjects = parseSubjects(subject);
  return subjects === undefined ? refuse('the statement names no artifacts') : { version, subjects, finishedOn };
}

function parseSubjects(value: unknown): ReadonlyMap<string, string> | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_SUBJECTS) return undefined;
  const subjects = new Map<string, string>();
  for (const one of value) {
    const { name, digest } = asObject(one);
    const { sha256 } = asObject(digest);
    if (typeof name !== 'string' || !NAME.test(name) || subjects.has(name)) return undefined;
    if (typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
    subjects.set(name, sha256);
  }
  return subjects;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
