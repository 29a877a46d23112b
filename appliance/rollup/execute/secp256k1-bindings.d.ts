/** What is used of libsecp256k1's addon: the package declares no types. */
declare module 'secp256k1/bindings.js' {
  const addon: {
    /** Throws when there is no key. */
    ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array;
  };
  export default addon;
}
