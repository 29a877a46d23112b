import { X509Certificate } from 'node:crypto';
import type { Subject } from '../fact-set.ts';
import { type Binding, bindingText, isAllInterfaces, isAsConfigured, isLoopback } from './bindings.ts';
import { certificateKey, certificateSignature, isConstrained, isIssuedBy, isNamed } from './certificate.ts';
import type { Collector } from './collector.ts';
import { answersPlainHttp } from './http-probe.ts';
import { offersProtocol } from './libp2p-probe.ts';
import type { ExpectedListener, FindBindings } from './listener.ts';
import { HTTP_FACTS, observeHttp } from './listener-http.ts';
import { look, type Observed } from './look.ts';
import type { NodeApi } from './node-api.ts';
import { type FactsOf, forEach, observe, unseen } from './observe.ts';
import { openTcp } from './socket-exchange.ts';
import { probeRenegotiation, probeTls, type TlsOffer } from './tls-probe.ts';

const DAY_MS = 86_400_000;

export interface ListenersOptions {
  readonly listeners: readonly ExpectedListener[];
  /** PEM of the node's own authority; undefined where it could not be read. */
  readonly authority: string | undefined;
  readonly now: () => number;
}

export interface ListenersDeps {
  readonly findBindings: FindBindings;
  /** undefined: nobody's token is at hand. */
  readonly api: NodeApi | undefined;
}

/** Connects to every socket on which the node should listen, as a client without any rights would, and as one that means it harm. */
export function createListenersCollector(options: ListenersOptions, deps: ListenersDeps): Collector {
  return {
    name: 'listeners',
    kinds: ['listener'],
    privilege: 'connections to the listeners of the node from this machine',
    async collect(signal) {
      // Every node has some: none is a configuration that says nothing of them, not a node without.
      if (options.listeners.length === 0) throw new Error('the configuration does not tell where the node listens');
      const subjects: Subject[] = [];
      for (const listener of options.listeners) {
        const facts: FactsOf<'listener'> = await observeListener(listener, { options, deps, signal });
        subjects.push({ kind: 'listener', name: listener.name, facts });
      }
      return subjects;
    },
  };
}

interface At {
  readonly options: ListenersOptions;
  readonly deps: ListenersDeps;
  readonly signal: AbortSignal;
}

async function observeListener(listener: ExpectedListener, at: At): Promise<FactsOf<'listener'>> {
  const { signal } = at;
  const reason = await connectionProblem(listener, signal);
  const bound = await observeBindings(listener, at);
  const base = { 'listener.name': observe(() => listener.name), ...bound };
  if (reason !== undefined) {
    return { ...base, 'listener.reachable': { value: false }, ...forEach(CONNECTED_FACTS, { error: reason }) };
  }
  return {
    ...base,
    'listener.reachable': { value: true },
    ...(await observeTls(listener, at)),
    ...(await observeHttp(listener, at.deps.api, signal)),
    ...(await observeLibp2p(listener, signal)),
    'listener.plainHttp': await look(signal, () => answersPlainHttp(listener, signal)),
  };
}

async function connectionProblem(listener: ExpectedListener, signal: AbortSignal): Promise<string | undefined> {
  try {
    (await openTcp(listener, signal)).destroy();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `no connection to ${listener.host}:${listener.port}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}

const BINDING_FACTS = [
  'listener.address',
  'listener.loopback',
  'listener.allInterfaces',
  'listener.asConfigured',
] as const;

async function observeBindings(
  listener: ExpectedListener,
  { deps, signal }: At,
): Promise<Observed<(typeof BINDING_FACTS)[number]>> {
  let bindings: readonly Binding[];
  try {
    bindings = await deps.findBindings(listener, signal);
  } catch (error) {
    signal.throwIfAborted();
    return forEach(BINDING_FACTS, unseen(error));
  }
  if (bindings.length === 0) {
    return forEach(BINDING_FACTS, { error: `nothing was seen to listen at port ${listener.port} of this machine` });
  }
  return {
    'listener.address': observe(() => bindings.map(bindingText).sort().join(' ')),
    'listener.loopback': observe(() => bindings.every(isLoopback)),
    'listener.allInterfaces': observe(() => bindings.some(isAllInterfaces)),
    'listener.asConfigured': observe(() => bindings.every((one) => isAsConfigured(one, listener.configured))),
  };
}

const CERTIFICATE_FACTS = [
  'listener.certificateDaysLeft',
  'listener.certificateDays',
  'listener.certificateKey',
  'listener.certificateSignature',
  'listener.certificateTrusted',
  'listener.certificateNamesMatch',
  'listener.constrainedAuthority',
] as const;
const HANDSHAKE_FACTS = [
  'listener.tlsVersions',
  'listener.ciphers',
  'listener.weakCiphers',
  'listener.keyExchange',
  'listener.renegotiation',
] as const;
const LIBP2P_FACTS = ['listener.noise', 'listener.plaintextOffered'] as const;
const TLS_FACTS = ['listener.tls', ...HANDSHAKE_FACTS, ...CERTIFICATE_FACTS] as const;
const CONNECTED_FACTS = [...TLS_FACTS, ...LIBP2P_FACTS, ...HTTP_FACTS, 'listener.plainHttp'] as const;

async function observeTls(
  listener: ExpectedListener,
  { options, signal }: At,
): Promise<Observed<(typeof TLS_FACTS)[number]>> {
  let offer: TlsOffer;
  try {
    offer = await probeTls(listener, signal);
  } catch (error) {
    signal.throwIfAborted();
    return forEach(TLS_FACTS, unseen(error));
  }
  if (offer.versions.length === 0) {
    const absent = { absent: 'it speaks no TLS' };
    return { 'listener.tls': { value: false }, ...forEach([...HANDSHAKE_FACTS, ...CERTIFICATE_FACTS], absent) };
  }
  return {
    'listener.tls': { value: true },
    'listener.tlsVersions': observe(() => offer.versions),
    'listener.ciphers': observe(() => offer.ciphers),
    'listener.weakCiphers': observe(() => offer.weakCiphers),
    'listener.keyExchange': observe(() => offer.keyExchange),
    // TLS 1.3 has none.
    'listener.renegotiation': await look(signal, async () => (await probeRenegotiation(listener, signal)) ?? false),
    ...observeCertificate(offer.certificate, listener, options),
  };
}

function observeCertificate(
  certificate: X509Certificate | undefined,
  { host }: ExpectedListener,
  { authority, now }: ListenersOptions,
): Observed<(typeof CERTIFICATE_FACTS)[number]> {
  if (certificate === undefined) return forEach(CERTIFICATE_FACTS, { error: 'it shows no certificate' });
  const { validFromDate, validToDate } = certificate;
  const own = (): X509Certificate => {
    if (authority === undefined) throw new Error("the certificate of the node's own authority could not be read");
    return new X509Certificate(authority);
  };
  return {
    'listener.certificateDaysLeft': observe(() => Math.floor((validToDate.getTime() - now()) / DAY_MS)),
    'listener.certificateDays': observe(() => Math.round((validToDate.getTime() - validFromDate.getTime()) / DAY_MS)),
    'listener.certificateKey': observe(() => certificateKey(certificate)),
    'listener.certificateSignature': observe(() => certificateSignature(certificate)),
    'listener.certificateTrusted': observe(() => isIssuedBy(certificate, own())),
    'listener.certificateNamesMatch': observe(() => isNamed(certificate, host)),
    'listener.constrainedAuthority': observe(() => isConstrained(own())),
  };
}

async function observeLibp2p(
  listener: ExpectedListener,
  signal: AbortSignal,
): Promise<Observed<(typeof LIBP2P_FACTS)[number]>> {
  if (listener.speaks !== 'libp2p') return forEach(LIBP2P_FACTS, { absent: 'it is for no peers' });
  return {
    'listener.noise': await look(signal, () => offersProtocol(listener, '/noise', signal)),
    'listener.plaintextOffered': await look(signal, () => offersProtocol(listener, '/plaintext/2.0.0', signal)),
  };
}
