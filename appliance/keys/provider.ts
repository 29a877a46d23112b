import Type, { type Static, type TProperties } from 'typebox';
import { Check } from 'typebox/value';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { RunTool } from './run-tool.ts';

/** What a provider may use of the machine. */
export interface ProviderHost {
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
  /** The folder that the secret must not lie in. */
  readonly home: string;
  /** Where `keys.keyFile` of the configuration says the key file lies; empty: where it lay when it was enrolled. */
  readonly keyFile: string;
  /** $CREDENTIALS_DIRECTORY of systemd; undefined outside a unit. */
  readonly credentials: string | undefined;
  /** Starts a program; undefined where this process may start none (the store's container). */
  readonly run: RunTool | undefined;
}

/** A provider turns something that only the right machine or person has into 32 bytes, which wrap the root key. */
export interface Enrolled {
  /** Goes into keys.json, beside the root key that it helps to open. */
  readonly payload: object;
  /** 32 bytes; the caller wipes it. */
  readonly key: Uint8Array;
}

/**
 * One way to open the root key (typage's Identity and Recipient in one). Whatever differs between providers is said here and
 * nowhere else: the key list's schema, `keys enroll`, the API and the wizard read the registry.
 */
export interface UnlockProvider {
  readonly name: string;
  /** For tables, prompts and help texts: lower case, with its article. */
  readonly title: string;
  /** Somebody must hand over a secret; the others open the node by themselves at a start. */
  readonly attended: boolean;
  /** Needs a program of the machine: the store of a node in containers may start none. */
  readonly programs: boolean;
  /** What keys.json holds of it. */
  readonly payload: TProperties;
  /** What `keys enroll NAME` asks for: an option each, by its `description`; one that is `file: true` is a path on this machine. */
  readonly settings: TProperties;
  enroll(request: EnrolRequest, host: ProviderHost): Promise<Enrolled>;
  /** Keys that may open the root key, best first; the caller wipes them. Throws when the provider cannot be used now. */
  open(payload: unknown, host: ProviderHost, secret?: Uint8Array): Promise<readonly Uint8Array[]>;
  /** What is said when none of the keys opens it. */
  wrong(payload: unknown, host: ProviderHost): NectarError;
}

export interface EnrolRequest {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of an attended provider. */
  readonly secret?: Uint8Array;
}

interface Definition<P extends TProperties, S extends TProperties> {
  readonly name: string;
  readonly title: string;
  readonly attended?: boolean;
  readonly programs?: boolean;
  readonly payload: P;
  readonly settings: S;
  enroll(
    settings: Static<Type.TObject<S>>,
    host: ProviderHost,
    secret: Uint8Array | undefined,
  ): Promise<{ payload: Static<Type.TObject<P>>; key: Uint8Array }>;
  open(
    payload: Static<Type.TObject<P>>,
    host: ProviderHost,
    secret: Uint8Array | undefined,
  ): Promise<readonly Uint8Array[]>;
  wrong(payload: Static<Type.TObject<P>>, host: ProviderHost): NectarError;
}

/** Holds what comes in to the provider's own schemas, so that it works with typed values. */
export function defineProvider<P extends TProperties, S extends TProperties>(of: Definition<P, S>): UnlockProvider {
  const settingsShape = Type.Object(of.settings, { additionalProperties: false });
  const payloadShape = Type.Object(of.payload);
  const typedPayload = (payload: unknown): Static<Type.TObject<P>> => {
    if (!Check(payloadShape, payload)) throw new TypeError(`payload of ${of.name} out of shape`);
    return payload;
  };
  return {
    name: of.name,
    title: of.title,
    attended: of.attended ?? false,
    programs: of.programs ?? false,
    payload: of.payload,
    settings: of.settings,
    async enroll({ settings, secret }, host) {
      if (!Check(settingsShape, settings)) {
        const expected = Object.keys(of.settings);
        throw new NectarError('KEY_ENROLMENT_INVALID', { provider: of.name, expected });
      }
      requirePrograms(of, host);
      return of.enroll(settings, host, secret);
    },
    async open(payload, host, secret) {
      requirePrograms(of, host);
      return of.open(typedPayload(payload), host, secret);
    },
    wrong: (payload, host) => of.wrong(typedPayload(payload), host),
  };
}

function requirePrograms({ name, programs }: { name: string; programs?: boolean }, { run }: ProviderHost): void {
  if (programs === true && run === undefined) throw new NectarError('KEY_PROVIDER_UNSUPPORTED', { provider: name });
}
