declare const brand: unique symbol;

/** A nominal type: hex and base32 strings that must not be mixed up (house-style 7). */
export type Brand<T, B extends string> = T & { readonly [brand]: B };

/** 16 random bytes as 32 lower-case hex digits. Never derived from personal data. */
export type RecordId = Brand<string, 'RecordId'>;
/** CIDv1 of ciphertext, base32 lower case. */
export type Cid = Brand<string, 'Cid'>;
/** RFC 6962 leaf hash, 32 bytes as 64 lower-case hex digits. */
export type LeafHash = Brand<string, 'LeafHash'>;
/** RFC 6962 tree root, 32 bytes as 64 lower-case hex digits. */
export type RootHash = Brand<string, 'RootHash'>;
/** libp2p peer id, base58btc text form (`12D3KooW...`). */
export type PeerIdText = Brand<string, 'PeerIdText'>;
/** 0x-prefixed lower-case hex. */
export type Hex = `0x${string}`;
