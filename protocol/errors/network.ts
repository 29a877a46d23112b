import { define } from './definition.ts';

/** Errors of the network: descriptor, identities, wire messages, the libp2p host. */
export const NETWORK_ERRORS = {
  NETWORK_DESCRIPTOR_OVERSIZE: define<{ bytes: number; maxBytes: number }>({
    message: ({ bytes, maxBytes }) => `network descriptor of ${bytes} bytes is larger than ${maxBytes}`,
  }),
  NETWORK_DESCRIPTOR_INVALID: define<{ at: string; problem: string }>({
    message: ({ at, problem }) => `network descriptor is not valid at ${at}: ${problem}`,
  }),
  NETWORK_DESCRIPTOR_SIGNATURE_INVALID: define<{ signer: string }>({
    message: ({ signer }) => `network descriptor is not signed by the key ${signer} that it names`,
  }),
  NETWORK_DESCRIPTOR_UNTRUSTED: define<{ signer: string }>({
    message: ({ signer }) => `network descriptor is signed by ${signer}, which this node does not trust`,
  }),
  NETWORK_PEER_ID_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `peer id is not valid: ${problem}`,
  }),
  NETWORK_PEER_HELD: define<{ owner: string; account: string }>({
    message: ({ owner, account }) =>
      `the registry admits this node's peer id for owner ${owner}, and this node signs as ${account}`,
  }),
  NETWORK_LEAVE_REFUSED: define<{ membership: string; owner: string; account: string }>({
    message: ({ membership, owner, account }) =>
      `this node has nothing to leave by: it is ${membership} in the registry, its entry belongs to ${owner || 'nobody'}, and it signs as ${account}`,
  }),
  NETWORK_APPEAL_REFUSED: define<{ membership: string; account: string }>({
    message: ({ membership, account }) =>
      `there is nothing to appeal against: this node is ${membership} in the registry, or its 14 days are over, or it appealed before, or another account than ${account} owns its entry`,
  }),
  NETWORK_NOT_AUDITOR: define<{ account: string }>({
    message: ({ account }) => `the account ${account} is no accredited auditor of this network`,
  }),
  NETWORK_ENTRY_UNKNOWN: define<{ peerId: string }>({
    message: ({ peerId }) => `the registry has no entry of ${peerId} that its key signed`,
  }),
  NETWORK_DECISION_REFUSED: define<{ verb: string; status: string; rule: string }>({
    message: ({ verb, status, rule }) => `the registry refuses to ${verb} a node that is ${status}: ${rule}`,
  }),
  NETWORK_PEER_UNATTESTED: define<{ peerId: string }>({
    message: ({ peerId }) => `no auditor has passed ${peerId}`,
  }),
  NETWORK_CID_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `block CID is not valid: ${problem}`,
  }),
  NETWORK_IDENTITY_INVALID: define<{ bytes: number }>({
    message: ({ bytes }) => `p2p identity key has ${bytes} bytes, not 32`,
  }),
  NETWORK_MESSAGE_INVALID: define<{ message: string; problem: string }>({
    message: ({ message, problem }) => `${message} message of a peer is not valid: ${problem}`,
  }),
  NETWORK_FRAME_OVERSIZE: define<{ bytes: number; maxBytes: number }>({
    message: ({ bytes, maxBytes }) => `a peer announced a frame of ${bytes} bytes where ${maxBytes} are allowed`,
  }),
  NETWORK_STREAM_ENDED: define<{ problem: string }>({
    message: ({ problem }) => `stream to a peer ended: ${problem}`,
  }),
  NETWORK_BLOCK_MISMATCH: define<{ cid: string }>({
    message: ({ cid }) => `bytes from a peer do not hash to ${cid}`,
  }),
  NETWORK_LISTEN_REFUSED: define<{ address: string; holder?: string }>({
    message: ({ address, holder }) =>
      `cannot listen for peers on ${address}${holder === undefined ? '' : `: the port is taken (${holder})`}`,
  }),
  WITNESS_STATE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `what the witness remembers in ${path} is invalid: ${reason}`,
  }),
};
