/**
 * The network descriptor: what a node must know to join a network, in one JSON document that its operator signs
 * (Ed25519, RFC 8032, over a domain tag and the RFC 8785 canonical bytes of everything but the signature).
 *
 * Adversary: whoever hands a clinic a descriptor of another network (eclipse), or alters one on the way. Hence the
 * signature, and the rule that a node keeps the signer of its first join; see `parseDescriptor`.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import { toString as textOf } from 'multiformats/bytes';
import type { Hex, PeerIdText } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { FORKS } from '../rollup/fork.ts';
import { isPeerId } from './node-identity.ts';
import {
  decimal,
  exactly,
  flag,
  hex,
  invalidShape,
  list,
  object,
  oneOf,
  type Shape,
  type Shaped,
  text,
  whole,
} from './shape.ts';

/** Largest descriptor in bytes that is parsed. */
export const MAX_DESCRIPTOR_BYTES = 256 * 1024;

const SIGNATURE_DOMAIN = utf8ToBytes('nectar/network-descriptor/v1\n');
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

const address = hex(20);
const url = text(/^https?:\/\/[\x21-\x7e]{1,2048}$/, 'an http or https URL');

/** A multiaddr that ends in the peer id that must answer there. */
const bootstrapAddress: Shape<string> = (value, at) => {
  const shaped = text(
    /^\/(ip4|ip6|dns|dns4|dns6)\/[A-Za-z0-9.:-]{1,253}\/tcp\/[0-9]{1,5}\/p2p\/[1-9A-Za-z]{1,64}$/,
    'a multiaddr',
  )(value, at);
  if (!isPeerId(peerIdOfAddress(shaped))) throw invalidShape(at, 'its /p2p/ part is no Ed25519 peer id');
  return shaped;
};

const content = {
  version: exactly(1),
  /** Name of the network, for people and file names: `devnet`, `testnet`. */
  name: text(/^[a-z][a-z0-9-]{0,31}$/, 'a name of lower-case letters, digits and hyphens'),
  l1: object({
    chainId: decimal,
    inbox: address,
    sequencerInbox: address,
    rollup: address,
    outbox: address,
    /** L1 block after which the contracts exist: where a node starts to read. Timestamp in seconds. */
    deployedAt: object({ number: whole(0, MAX_SAFE), hash: hex(32), timestamp: whole(0, MAX_SAFE) }),
  }),
  l2: object({
    chainId: decimal,
    /** Genesis parameters; amounts as decimal strings, timestamp in seconds. */
    genesis: object({
      l2ChainId: decimal,
      timestamp: decimal,
      gasLimit: decimal,
      auditors: list(address, 1, 64),
      ejectionQuorum: whole(1, 64),
      alloc: list(object({ address, balanceWei: decimal }), 0, 256),
      feeRecipient: address,
      /** The fork of Ethereum by whose rules blocks run, and whether P-256 verification is added to it. */
      fork: oneOf(FORKS),
      p256: flag,
    }),
    /** SHA-256 of the machine that decides what the chain is (machine.wasm). A node that has another one refuses to start. */
    machine: hex(32),
    /** Hash of block 0. A node that computes another one refuses to start. */
    genesisHash: hex(32),
    /** Address whose key signs unsafe blocks. */
    sequencer: address,
  }),
  /** `l1Beacon`: beacon nodes of L1, which have the blobs of batches. */
  endpoints: object({ l1Rpc: list(url, 1, 16), sequencerRpc: list(url, 1, 16) }, { l1Beacon: list(url, 1, 16) }),
  /** Multiaddrs with /p2p/ of the peers that are admitted without being in the registry. */
  bootstrap: list(bootstrapAddress, 0, 64),
};
const optional = {
  /** Only a development network has it: the L1 account that hands out test ether (its key lies in the devnet's home). */
  devnet: object({ faucet: address }),
  /**
   * The structured reference string of step proofs: SHA-256 of bn254_g1.dat (16,384 points) and bn254_g2.dat. `isDevelopment`: made by
   * one machine, which may know its secret, and so can prove what is false.
   */
  srs: object({ sha256: hex(32), isDevelopment: flag }),
};
const unsigned = object(content, optional);
const signed = object({ ...content, signature: object({ publicKey: hex(32), value: hex(64) }) }, optional);

/** Ethereum, and its test networks Sepolia, Holesky and Hoodi: what is staked there is not its maker's. */
const PUBLIC_L1: ReadonlySet<string> = new Set(['1', '11155111', '17000', '560048']);

/** The descriptor without its signature. */
export type NetworkDescriptor = Shaped<typeof unsigned>;

/** A descriptor whose signature was checked, and the Ed25519 public key that signed it. */
export interface VerifiedDescriptor {
  readonly descriptor: NetworkDescriptor;
  readonly signer: Hex;
}

/** Genesis parameters in the types that `buildGenesis` takes. */
export interface DescriptorGenesis {
  readonly l2ChainId: bigint;
  /** Seconds. */
  readonly timestamp: bigint;
  readonly gasLimit: bigint;
  readonly auditors: Hex[];
  readonly ejectionQuorum: number;
  readonly alloc: { address: Hex; balanceWei: bigint }[];
  readonly feeRecipient: Hex;
}

/** Signs with an Ed25519 secret key (32-byte seed) and returns the document's bytes: canonical JSON and a newline. */
export function signDescriptor(descriptor: NetworkDescriptor, secretKey: Uint8Array): Uint8Array {
  const checked = checkConsistency(unsigned(descriptor, '$'));
  const publicKey: Hex = `0x${bytesToHex(ed25519.getPublicKey(secretKey))}`;
  const value: Hex = `0x${bytesToHex(ed25519.sign(signedBytes(checked), secretKey))}`;
  return utf8ToBytes(`${canonical({ ...checked, signature: { publicKey, value } })}\n`);
}

/**
 * Verifies a descriptor: size, then shape, then signature, then trust.
 *
 * `trusted` are the public keys that this node accepts. Without it any well-signed descriptor is returned, and the
 * caller pins `signer` (trust on first use: the devnet's way); a public network's key comes from its operator.
 * Throws NETWORK_DESCRIPTOR_OVERSIZE, _INVALID, _SIGNATURE_INVALID, _UNTRUSTED.
 */
export function parseDescriptor(
  bytes: Uint8Array,
  options: { readonly trusted?: readonly Hex[] } = {},
): VerifiedDescriptor {
  if (bytes.length > MAX_DESCRIPTOR_BYTES) {
    throw new NectarError('NETWORK_DESCRIPTOR_OVERSIZE', { bytes: bytes.length, maxBytes: MAX_DESCRIPTOR_BYTES });
  }
  const { signature, ...rest } = signed(parseJson(bytes), '$');
  const descriptor = checkConsistency(rest);
  const signer = signature.publicKey;
  if (!isSignedBy(descriptor, signer, signature.value))
    throw new NectarError('NETWORK_DESCRIPTOR_SIGNATURE_INVALID', { signer });
  if (options.trusted !== undefined && !options.trusted.includes(signer)) {
    throw new NectarError('NETWORK_DESCRIPTOR_UNTRUSTED', { signer });
  }
  return { descriptor, signer };
}

/** The genesis parameters as numbers. */
export function genesisOf(descriptor: NetworkDescriptor): DescriptorGenesis {
  const { genesis } = descriptor.l2;
  return {
    l2ChainId: BigInt(genesis.l2ChainId),
    timestamp: BigInt(genesis.timestamp),
    gasLimit: BigInt(genesis.gasLimit),
    auditors: [...genesis.auditors],
    ejectionQuorum: genesis.ejectionQuorum,
    alloc: genesis.alloc.map((entry) => ({ address: entry.address, balanceWei: BigInt(entry.balanceWei) })),
    feeRecipient: genesis.feeRecipient,
  };
}

/** The peer id at the end of a bootstrap address of a verified descriptor. */
export function peerIdOfAddress(multiaddr: string): PeerIdText {
  return multiaddr.slice(multiaddr.lastIndexOf('/') + 1) as PeerIdText;
}

function checkConsistency(descriptor: NetworkDescriptor): NetworkDescriptor {
  const { chainId, genesis } = descriptor.l2;
  if (chainId !== genesis.l2ChainId) throw invalidShape('$.l2.genesis.l2ChainId', 'differs from $.l2.chainId');
  if (genesis.ejectionQuorum > genesis.auditors.length)
    throw invalidShape('$.l2.genesis.ejectionQuorum', 'more than there are auditors');
  if (descriptor.srs?.isDevelopment === true && descriptor.devnet === undefined)
    throw invalidShape('$.srs.isDevelopment', 'a development string on what is no development network');
  if (descriptor.srs?.isDevelopment === true && PUBLIC_L1.has(descriptor.l1.chainId))
    throw invalidShape('$.srs.isDevelopment', `a development string on the public L1 ${descriptor.l1.chainId}`);
  return descriptor;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    // Bytes that are no UTF-8 become U+FFFD, which no field's pattern takes.
    return JSON.parse(textOf(bytes));
  } catch (cause) {
    throw new NectarError('NETWORK_DESCRIPTOR_INVALID', { at: '$', problem: 'not JSON' }, { cause });
  }
}

function isSignedBy(descriptor: NetworkDescriptor, publicKey: Hex, signature: Hex): boolean {
  try {
    // RFC 8032 rather than ZIP-215: a descriptor has one valid signature encoding, and no small-order key passes.
    return ed25519.verify(hexToBytes(signature.slice(2)), signedBytes(descriptor), hexToBytes(publicKey.slice(2)), {
      zip215: false,
    });
  } catch {
    return false;
  }
}

function signedBytes(descriptor: NetworkDescriptor): Uint8Array {
  return concatBytes(SIGNATURE_DOMAIN, utf8ToBytes(canonical(descriptor)));
}

function canonical(value: unknown): string {
  const json = canonicalize(value);
  if (json === undefined) throw invalidShape('$', 'not JSON');
  return json;
}
