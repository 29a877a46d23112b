import { randomBytes } from 'node:crypto';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { MAX_RELEASE_ROOTS, RELEASE_NONCE_BYTES } from '../../protocol/network/release-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FrameStream } from './frame-stream.ts';
import { exchangeRelease, FalseReceipt } from './release-exchange.ts';

/** What a holder signed: with the roots, the two peers and the chain, all that is needed to verify it again. */
export interface SignedRelease {
  /** Of the request, hex. */
  readonly nonce: string;
  /** Days since 1970, by the holder's clock. */
  readonly epoch: number;
  readonly bytes: number;
  /** Ed25519 of the holder's peer key, base64. */
  readonly signature: string;
}

/** `told`: it said done, and is of a version that signs nothing. `false`: it signed something else. `silent`: it did not answer, or not now. */
export type ReleaseOutcome =
  | { readonly outcome: 'receipt'; readonly receipt: SignedRelease }
  | { readonly outcome: 'told' | 'false' | 'silent' };

export interface ReleaseClientDeps {
  readonly l2ChainId: bigint;
  readonly self: PeerIdText;
  /** Opens a stream to a holder; rejects with UnsupportedProtocolError where it knows no receipts. */
  readonly open: (holder: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;
  /** Tells a holder of the version before to forget a blob; true when it said done. */
  readonly forget: (holder: PeerIdText, root: Cid, signal: AbortSignal) => Promise<boolean>;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Tells one holder that it need not keep these blobs, 64 at most. Never throws but by the signal. */
export type Release = (holder: PeerIdText, roots: readonly Cid[], signal: AbortSignal) => Promise<ReleaseOutcome>;

export function createReleaseClient(deps: ReleaseClientDeps): Release {
  const { l2ChainId, self, log, now } = deps;

  async function forgetAll(holder: PeerIdText, roots: readonly Cid[], signal: AbortSignal): Promise<ReleaseOutcome> {
    for (const root of roots) if (!(await deps.forget(holder, root, signal))) return { outcome: 'silent' };
    return { outcome: 'told' };
  }

  return async (holder, all, signal) => {
    const roots = all.slice(0, MAX_RELEASE_ROOTS);
    const request = { nonce: randomBytes(RELEASE_NONCE_BYTES), roots };
    try {
      const frames = await deps.open(holder, signal);
      const receipt = await exchangeRelease(frames, {
        parties: { l2ChainId, owner: self, holder },
        request,
        now: now(),
      });
      if (receipt === undefined) return { outcome: 'silent' };
      const { epoch, bytes } = receipt;
      const signature = Buffer.from(receipt.signature).toString('base64');
      return { outcome: 'receipt', receipt: { nonce: request.nonce.toString('hex'), epoch, bytes, signature } };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Error && error.name === 'UnsupportedProtocolError')
        return await forgetAll(holder, roots, signal);
      log.debug({ peerId: holder, err: error }, 'a holder gave no receipt');
      return { outcome: error instanceof FalseReceipt ? 'false' : 'silent' };
    }
  };
}
