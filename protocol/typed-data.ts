/** EIP-712: the hash of a struct, in a domain, that an account signs. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Hex } from './brand.ts';
import { hashWords } from './dispute/words.ts';
import { bytesToHex, hexToBytes } from './rollup/bytes.ts';

/** Where signatures are for: one contract on one chain. */
export interface TypedDataDomain {
  readonly name: string;
  readonly version: string;
  readonly chainId: bigint;
  readonly verifyingContract: Hex;
}

const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** What is signed: keccak256(0x1901 | domain separator | hash of the struct). */
export function typedDataHash(domain: TypedDataDomain, structHash: Hex): Hex {
  const { name, version, chainId, verifyingContract } = domain;
  const separator = hashWords([hashText(DOMAIN_TYPE), hashText(name), hashText(version), chainId, verifyingContract]);
  return bytesToHex(keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), hexToBytes(separator), hexToBytes(structHash))));
}

/** keccak256 of a text: the hash of a type or of a string. */
export function hashText(text: string): Hex {
  return bytesToHex(keccak_256(utf8ToBytes(text)));
}
