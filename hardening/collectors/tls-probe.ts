import type { X509Certificate } from 'node:crypto';
import type { ConnectionOptions, SecureVersion, TLSSocket } from 'node:tls';
import { type Address, openTls } from './socket-exchange.ts';

const VERSIONS: readonly (readonly [SecureVersion, string])[] = [
  ['TLSv1', '1.0'],
  ['TLSv1.1', '1.1'],
  ['TLSv1.2', '1.2'],
  ['TLSv1.3', '1.3'],
];
/** The probe itself must be able to speak what nobody should: OpenSSL's level 0 allows everything that it still has. */
const EVERYTHING = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
/** All but forward secrecy with AEAD and 128 bits or more; DHE and ECDHE here are without the anonymous ones. */
const WEAK = [
  'ALL:COMPLEMENTOFALL',
  ...['AESGCM', 'CHACHA20', 'AESCCM', 'ARIAGCM'].flatMap((cipher) => [`!ECDHE+${cipher}`, `!DHE+${cipher}`]),
];
/** OpenSSL has fewer suites than that. */
const MAX_SUITES = 200;
/** A server that wants none of what it is offered says so, or hangs up. Anything else is no answer to the question. */
const REFUSALS = ['ECONNRESET', 'EPIPE', 'EPROTO'];

export interface TlsOffer {
  /** 1.0, 1.1, 1.2, 1.3. */
  readonly versions: readonly string[];
  /** IANA names of the suites negotiated, one per version. */
  readonly ciphers: readonly string[];
  readonly weakCiphers: readonly string[];
  readonly keyExchange: readonly string[];
  /** Of the newest version. */
  readonly certificate: X509Certificate | undefined;
}

/** Every version by itself. No version: it does not speak TLS. */
export async function probeTls(address: Address, signal: AbortSignal): Promise<TlsOffer> {
  const versions: string[] = [];
  const ciphers = new Set<string>();
  const keyExchange = new Set<string>();
  let certificate: X509Certificate | undefined;
  for (const [version, name] of VERSIONS) {
    const only = { minVersion: version, maxVersion: version, ciphers: EVERYTHING };
    const seen = await handshake(address, only, signal);
    if (seen === undefined) continue;
    versions.push(name);
    ciphers.add(seen.cipher);
    if (seen.keyExchange !== undefined) keyExchange.add(seen.keyExchange);
    certificate = seen.certificate;
  }
  const old = versions.some((version) => version !== '1.3');
  const weakCiphers = old ? await probeWeakCiphers(address, signal) : [];
  return { versions, ciphers: [...ciphers], weakCiphers, keyExchange: [...keyExchange], certificate };
}

/** Offers all weak suites, then all but the one that was taken, until none is. Those of TLS 1.3 are not among them. */
async function probeWeakCiphers(address: Address, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const refused: string[] = [];
  while (found.length < MAX_SUITES) {
    const ciphers = [...WEAK, ...refused, '@SECLEVEL=0'].join(':');
    const seen = await handshake(address, { minVersion: 'TLSv1', maxVersion: 'TLSv1.2', ciphers }, signal);
    if (seen === undefined) break;
    found.push(seen.cipher);
    refused.push(`!${seen.opensslName}`);
  }
  return found;
}

/** Whether the server begins a second handshake when a client asks for it. Undefined without a version that has this. */
export async function probeRenegotiation(address: Address, signal: AbortSignal): Promise<boolean | undefined> {
  const options: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.2', ciphers: EVERYTHING };
  const socket = await openUnlessRefused(address, options, signal);
  if (socket === undefined) return undefined;
  try {
    return await new Promise((resolve, reject) => {
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
      timeout.addEventListener('abort', () => (signal.aborted ? reject(signal.reason) : resolve(false)), {
        once: true,
      });
      socket.once('error', () => resolve(false)).once('close', () => resolve(false));
      socket.resume();
      if (!socket.renegotiate({}, (error) => resolve(error === null))) resolve(false);
    });
  } finally {
    socket.destroy();
  }
}

interface Handshake {
  readonly cipher: string;
  readonly opensslName: string;
  readonly keyExchange: string | undefined;
  readonly certificate: X509Certificate | undefined;
}

/** Undefined when the server refuses; throws when it cannot be told. */
async function handshake(
  address: Address,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Handshake | undefined> {
  const socket = await openUnlessRefused(address, options, signal);
  if (socket === undefined) return undefined;
  try {
    const { name, standardName } = socket.getCipher();
    const group = socket.getEphemeralKeyInfo() as { readonly name?: string; readonly type?: string } | null;
    return {
      cipher: standardName ?? name,
      opensslName: name,
      keyExchange: group?.name === 'prime256v1' ? 'P-256' : (group?.name ?? group?.type),
      certificate: socket.getPeerX509Certificate(),
    };
  } finally {
    socket.destroy();
  }
}

async function openUnlessRefused(
  address: Address,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<TLSSocket | undefined> {
  try {
    return await openTls(address, options, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code.startsWith('ERR_SSL_') || REFUSALS.includes(code)) return undefined;
    throw error;
  }
}
