import { createHash } from 'node:crypto';
import type { Hex } from '../../../../../protocol/brand.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';

/** Instead of KZG where a test is not about it: as binding, and free. */
export const hashKzg = {
  versionedHash: async (blob: Uint8Array): Promise<Hex> =>
    `0x01${createHash('sha256').update(blob).digest('hex').slice(2)}`,
};

export interface BeaconDouble {
  readonly fetch: typeof fetch;
  /** Paths asked for, in order. */
  readonly asked: string[];
  /** Blobs by slot, or by block hash on a development L1. */
  readonly blobs: Map<string, readonly Uint8Array[]>;
  /** Answers instead of the honest one; undefined for a path: honest. */
  lie: ((path: string, signal: AbortSignal) => Promise<Response | undefined> | Response | undefined) | undefined;
}

export const GENESIS_TIME = 1_000n;

/** A beacon node after Fulu; `spec` none: a development L1, which names no slot time. */
export function createBeaconDouble(spec: Record<string, string> | 'none' = { SECONDS_PER_SLOT: '12' }): BeaconDouble {
  const json = (data: unknown): Response => Response.json({ data });
  const double: BeaconDouble = {
    asked: [],
    blobs: new Map(),
    lie: undefined,
    fetch: (async (input: string, init: { signal: AbortSignal }) => {
      const { pathname, searchParams } = new URL(input);
      double.asked.push(pathname);
      const lie = await double.lie?.(pathname, init.signal);
      if (lie !== undefined) return lie;
      if (pathname.endsWith('/eth/v1/beacon/genesis')) return json({ genesis_time: String(GENESIS_TIME) });
      if (pathname.endsWith('/eth/v1/config/spec') && spec !== 'none') return json(spec);
      const id = /\/eth\/v1\/beacon\/blobs\/(\w+)$/.exec(pathname)?.[1];
      if (id === undefined) return new Response('{}', { status: 404 });
      const held = double.blobs.get(id) ?? [];
      const wanted = searchParams.get('versioned_hashes');
      const hashes = await Promise.all(held.map((blob) => hashKzg.versionedHash(blob)));
      return json(held.filter((_, at) => hashes[at] === wanted).map(bytesToHex));
    }) as unknown as typeof fetch,
  };
  return double;
}
