import { define, EXIT } from './definition.ts';

/** Errors of the network: descriptor, identities, wire messages, the libp2p host. */
export const NETWORK_ERRORS = {
  NETWORK_DESCRIPTOR_OVERSIZE: define<{ bytes: number; maxBytes: number }>({
    message: ({ bytes, maxBytes }) => `network descriptor of ${bytes} bytes is larger than ${maxBytes}`,
    remedy: 'This file is no network descriptor. Get the descriptor again from the operator of the network.',
    http: 400,
    exit: EXIT.usage,
  }),
  NETWORK_DESCRIPTOR_INVALID: define<{ at: string; problem: string }>({
    message: ({ at, problem }) => `network descriptor is not valid at ${at}: ${problem}`,
    remedy:
      'Get the descriptor again from the operator of the network; do not edit it, its signature covers every field.',
    http: 400,
    exit: EXIT.usage,
  }),
  NETWORK_DESCRIPTOR_SIGNATURE_INVALID: define<{ signer: string }>({
    message: ({ signer }) => `network descriptor is not signed by the key ${signer} that it names`,
    remedy: 'The descriptor was altered after it was signed. Get it again from the operator of the network.',
    http: 400,
    exit: EXIT.checksFailed,
  }),
  NETWORK_DESCRIPTOR_UNTRUSTED: define<{ signer: string }>({
    message: ({ signer }) => `network descriptor is signed by ${signer}, which this node does not trust`,
    remedy:
      'Compare the key with the one that the operator of the network publishes; a node keeps the key of its first join.',
    http: 403,
    exit: EXIT.checksFailed,
  }),
  NETWORK_PEER_ID_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `peer id is not valid: ${problem}`,
    remedy: 'A peer id starts with 12D3KooW and is printed by `nectar-byon status`.',
    http: 400,
    exit: EXIT.usage,
  }),
  NETWORK_CID_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `block CID is not valid: ${problem}`,
    remedy: 'Blocks are named by CIDv1 in base32, raw or dag-pb, sha2-256.',
    http: 400,
    exit: EXIT.usage,
  }),
  NETWORK_IDENTITY_INVALID: define<{ bytes: number }>({
    message: ({ bytes }) => `p2p identity key has ${bytes} bytes, not 32`,
    remedy: 'The sealed identity of this home is damaged: restore HOME/identity from a backup.',
    http: 500,
    exit: EXIT.key,
  }),
  NETWORK_MESSAGE_INVALID: define<{ message: string; problem: string }>({
    message: ({ message, problem }) => `${message} message of a peer is not valid: ${problem}`,
    remedy: 'A peer speaks another version or is hostile; it was refused and nothing was stored.',
    http: 502,
    exit: EXIT.unreachable,
  }),
  NETWORK_FRAME_OVERSIZE: define<{ bytes: number; maxBytes: number }>({
    message: ({ bytes, maxBytes }) => `a peer announced a frame of ${bytes} bytes where ${maxBytes} are allowed`,
    remedy: 'A peer speaks another version or is hostile; the stream was cut before anything was read.',
    http: 502,
    exit: EXIT.unreachable,
  }),
  NETWORK_STREAM_ENDED: define<{ problem: string }>({
    message: ({ problem }) => `stream to a peer ended: ${problem}`,
    remedy: 'The peer went away or was too slow. The node tries again by itself.',
    http: 502,
    exit: EXIT.unreachable,
  }),
  NETWORK_BLOCK_MISMATCH: define<{ cid: string }>({
    message: ({ cid }) => `bytes from a peer do not hash to ${cid}`,
    remedy: 'A peer sent wrong bytes; they were thrown away and another holder is asked.',
    http: 502,
    exit: EXIT.checksFailed,
  }),
  NETWORK_LISTEN_REFUSED: define<{ address: string }>({
    message: ({ address }) => `cannot listen for peers on ${address}`,
    remedy: 'Another program has the port, or the address is not one of this machine. Choose another with --p2p-port.',
    http: 503,
    exit: EXIT.config,
  }),
};
