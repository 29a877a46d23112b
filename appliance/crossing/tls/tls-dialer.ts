import { connect as connectTls, type TLSSocket } from 'node:tls';
import { NectarError } from '../../../protocol/errors.ts';
import type { Dialer } from '../dialer.ts';
import { CROSSINGS, type CrossingName } from '../table.ts';
import { KEEP_ALIVE } from './bounds.ts';
import type { Certificates } from './certificates.ts';
import type { OpenConnections } from './open-connections.ts';
import { type Peer, peerOf } from './peer.ts';
import { holderOf, roleName } from './role-name.ts';

/** A handshake of a busy role takes longer than a connect(2). */
const CONNECT_TIMEOUT_MS = 5_000;
/** The network says that nobody is there, or nobody that may be reached (a NetworkPolicy drops or rejects). */
const UNREACHED = /^(ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_.*)$/;

export interface TlsAddress {
  readonly host: string;
  readonly port: number;
}

export interface TlsDialerOptions {
  readonly crossing: CrossingName;
  readonly instance: string;
  readonly address: TlsAddress;
}

export interface TlsDialerDeps {
  readonly certificates: Pick<Certificates, 'current' | 'find'>;
  readonly open: OpenConnections;
}

/** Reaches the role that serves a crossing, wherever it runs: what counts is whom its certificate names, not its address. */
export function tlsDialer(
  { crossing, instance, address }: TlsDialerOptions,
  { certificates, open }: TlsDialerDeps,
): Dialer {
  const { server } = CROSSINGS[crossing];
  const untrusted = (reason: string): NectarError<'NODE_CROSSING_UNTRUSTED'> =>
    new NectarError('NODE_CROSSING_UNTRUSTED', { service: server, reason });

  /** @throws NectarError NODE_CROSSING_UNTRUSTED */
  function requireServer(socket: TLSSocket): Peer {
    const peer = peerOf(socket);
    if (!socket.authorized || peer === undefined) throw untrusted('it shows no certificate of this node');
    const holder = holderOf(peer.certificate, instance);
    if (holder.role === undefined) throw untrusted(`its certificate does not fit: ${holder.misfit}`);
    if (holder.role !== server) throw untrusted(`its certificate is that of ${holder.role}`);
    return peer;
  }

  return {
    target: `/${crossing}`,
    timeoutMs: CONNECT_TIMEOUT_MS,
    refusesWrites: false,
    connect(onread, onOpen) {
      const pair = certificates.current();
      // Node's types know `onread` of connections without TLS only; it takes the option for both.
      const options = {
        ...address,
        ...KEEP_ALIVE,
        onread,
        secureContext: pair.context,
        servername: roleName(server, instance),
        rejectUnauthorized: true,
        // The exact name is looked at below, before a byte is written: Node's own rule takes wildcards.
        checkServerIdentity: () => undefined,
      };
      const socket = connectTls(options);
      socket.once('secureConnect', () => {
        try {
          open.add(socket, requireServer(socket), pair);
          onOpen(socket);
        } catch (error) {
          socket.destroy(error as Error);
        }
      });
      return { socket, isStale: () => certificates.find() !== pair };
    },
    explain({ code = '', message }) {
      if (UNREACHED.test(code))
        return new NectarError('NODE_NOT_READY', { service: server, reason: 'its process does not answer' });
      // Of the chain (X509_V_ERR_* without its beginning), or of TLS itself.
      return /^(ERR_SSL_|ERR_TLS_|CERT_|DEPTH_|SELF_|UNABLE_|INVALID_|ERROR_IN_|HOSTNAME_)/.test(code)
        ? untrusted(`TLS was not agreed: ${code || message}`)
        : undefined;
    },
  };
}
