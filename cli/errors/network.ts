import { EXIT } from '../../appliance/exit-code.ts';
import type { NETWORK_ERRORS } from '../../protocol/errors/network.ts';
import type { Guidance } from './guidance.ts';

export const NETWORK_GUIDANCE: Record<keyof typeof NETWORK_ERRORS, Guidance> = {
  NETWORK_DESCRIPTOR_OVERSIZE: {
    exit: EXIT.usage,
    remedy: 'This file is not a network descriptor. Get the descriptor again from the operator of the network.',
  },
  NETWORK_DESCRIPTOR_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Get the descriptor again from the operator of the network; do not edit it, its signature covers every field. A devnet of an older version is made anew: `nectar-byon devnet down`, move its folder away, `nectar-byon devnet up`; a node of it needs a new home (what it stores is readable with the version that made it).',
  },
  NETWORK_DESCRIPTOR_SIGNATURE_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The descriptor was altered after it was signed. Get it again from the operator of the network.',
  },
  NETWORK_DESCRIPTOR_UNTRUSTED: {
    exit: EXIT.checksFailed,
    remedy:
      'Compare the key with the one that the operator of the network publishes; a node keeps the key of its first join.',
  },
  NETWORK_PEER_ID_INVALID: {
    exit: EXIT.usage,
    remedy: 'A peer id starts with 12D3KooW and is printed by `nectar-byon status`.',
  },
  NETWORK_PEER_HELD: {
    exit: EXIT.checksFailed,
    remedy:
      'Restore the operator key that belongs to this identity, or let the owner register this account as operator; with neither, make a new identity. An auditor passed that entry, so whoever made it had this peer key: find out who.',
  },
  NETWORK_LEAVE_REFUSED: {
    exit: EXIT.checksFailed,
    remedy:
      'Only an applicant, a member or a suspended node leaves, and only the account that owns its entry may say so: where that is another one, the owner calls leaveNetwork. A node that drains or was ejected is out already.',
  },
  NETWORK_APPEAL_REFUSED: {
    exit: EXIT.checksFailed,
    remedy:
      'The account that owns the entry appeals once, within 14 days of the vote. Later the auditors may still take the ejection back by themselves: write to them.',
  },
  NETWORK_NOT_AUDITOR: {
    exit: EXIT.checksFailed,
    remedy:
      'Auditors decide through a node whose operator account the registry lists as an auditor. The auditors vote for another one, and it counts 7 days later.',
  },
  NETWORK_ENTRY_UNKNOWN: {
    exit: EXIT.usage,
    remedy: 'Name a peer that applied or is a member; `nectar-byon auditor queue` lists who waits.',
  },
  NETWORK_DECISION_REFUSED: {
    exit: EXIT.checksFailed,
    remedy: 'The table of docs/design/0033-due-process.md says who may do what in which state.',
  },
  NETWORK_PEER_UNATTESTED: {
    exit: EXIT.usage,
    remedy: 'Name a peer that is or was a member.',
  },
  NETWORK_CID_INVALID: {
    exit: EXIT.usage,
    remedy: 'Blocks are named by CIDv1 in base32, raw or dag-pb, sha2-256.',
  },
  NETWORK_IDENTITY_INVALID: {
    exit: EXIT.key,
    remedy: 'The sealed identity of this home is damaged: restore HOME/identity from a backup.',
  },
  NETWORK_MESSAGE_INVALID: {
    exit: EXIT.unreachable,
    remedy: 'A peer speaks another version or is hostile; it was refused and nothing was stored.',
  },
  NETWORK_FRAME_OVERSIZE: {
    exit: EXIT.unreachable,
    remedy: 'A peer speaks another version or is hostile; the stream was cut before anything was read.',
  },
  NETWORK_STREAM_ENDED: {
    exit: EXIT.unreachable,
    remedy: 'The peer went away or was too slow. The node tries again by itself.',
  },
  NETWORK_BLOCK_MISMATCH: {
    exit: EXIT.checksFailed,
    remedy: 'A peer sent wrong bytes; they were thrown away and another holder is asked.',
  },
  NETWORK_LISTEN_REFUSED: {
    exit: EXIT.config,
    remedy:
      'Stop the other program, or give the node another port for its peers: `nectar-byon config set p2p.listenPort 4641`, then `nectar-byon up`. An address that is not of this machine is changed by `p2p.listenHost`.',
  },
  WITNESS_STATE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The file was altered or damaged: no checkpoint of that member is cosigned until it is gone. Put it back from a copy; removing it lets the member show another story.',
  },
};
