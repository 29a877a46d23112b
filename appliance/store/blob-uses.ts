import type { Cid } from '../../protocol/brand.ts';

/** Which ciphertext is being read: when a version is sealed anew, its old blocks stay for as long as somebody is at them. */
export interface BlobUses {
  /** Take it in the same turn in which the entry that names the blob was read. Call what it returns once. */
  take(root: Cid): () => void;
  isTaken(root: Cid): boolean;
}

export function createBlobUses(): BlobUses {
  const taken = new Map<Cid, number>();
  return {
    take(root) {
      taken.set(root, (taken.get(root) ?? 0) + 1);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        const left = (taken.get(root) ?? 1) - 1;
        if (left === 0) taken.delete(root);
        else taken.set(root, left);
      };
    },
    isTaken: (root) => taken.has(root),
  };
}
