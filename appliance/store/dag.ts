import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { dagPbCid } from './cid.ts';

/** Links per node, as `ipfs add` makes them. */
export const MAX_LINKS = 174;

interface Child {
  readonly cid: CID;
  /** Bytes of the file under it. */
  readonly fileBytes: number;
  /** Bytes of all blocks under it, its own included. */
  readonly dagBytes: number;
}

export interface DagBuilder {
  leaf(cid: CID, bytes: number): Promise<void>;
  /** The root: the leaf itself when it is the only one. At least one leaf. */
  end(): Promise<CID>;
}

/**
 * The balanced UnixFS file over raw leaves that `ipfs add --cid-version 1 --raw-leaves` builds, node by node as leaves
 * arrive; holds at most maxLinks children per level.
 */
export function createDagBuilder(
  emit: (cid: CID, block: Uint8Array) => Promise<void>,
  maxLinks: number = MAX_LINKS,
): DagBuilder {
  const levels: Child[][] = [];

  async function add(level: number, child: Child): Promise<void> {
    levels[level] ??= [];
    const children = levels[level];
    if (children.length === maxLinks) await close(level);
    children.push(child);
  }

  async function close(level: number): Promise<void> {
    const children = levels[level]?.splice(0) ?? [];
    const unixfs = new UnixFS({ type: 'file', blockSizes: children.map((child) => BigInt(child.fileBytes)) });
    const links = children.map((child) => ({ Name: '', Hash: child.cid, Tsize: child.dagBytes }));
    const block = dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links: links }));
    const cid = dagPbCid(block);
    await emit(cid, block);
    const fileBytes = children.reduce((sum, child) => sum + child.fileBytes, 0);
    const dagBytes = children.reduce((sum, child) => sum + child.dagBytes, block.length);
    await add(level + 1, { cid, fileBytes, dagBytes });
  }

  return {
    leaf: (cid, bytes) => add(0, { cid, fileBytes: bytes, dagBytes: bytes }),
    async end() {
      for (let level = 0; ; level++) {
        const children = levels[level] ?? [];
        const [only] = children;
        if (children.length === 1 && only !== undefined && level === levels.length - 1) return only.cid;
        await close(level);
      }
    },
  };
}

/** The links of a dag-pb block. Throws on a block that is none. */
export function dagLinks(block: Uint8Array): CID[] {
  return dagPb.decode(block).Links.map((link) => link.Hash);
}
