import type { ServerResponse } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';

/** The requests of each token that are being served, so that a revocation ends them too. */
export interface BegunRequests {
  /** Until the answer is done. `stop` aborts the work with a reason. */
  add(tokenId: string, response: ServerResponse, stop: (reason: NectarError) => void): void;
  /** What the token has begun is aborted; a client that neither sends nor takes loses its connection after `lingerMs`. */
  end(tokenId: string): void;
}

interface Begun {
  readonly response: ServerResponse;
  readonly stop: (reason: NectarError) => void;
}

export function createBegunRequests(lingerMs: number): BegunRequests {
  const begun = new Map<string, Set<Begun>>();
  return {
    add(tokenId, response, stop) {
      const request = { response, stop };
      const own = begun.get(tokenId) ?? new Set();
      begun.set(tokenId, own.add(request));
      response.once('close', () => {
        own.delete(request);
        if (own.size === 0 && begun.get(tokenId) === own) begun.delete(tokenId);
      });
    },
    end(tokenId) {
      for (const { response, stop } of begun.get(tokenId) ?? []) {
        stop(new NectarError('GATEWAY_TOKEN_REVOKED', { tokenId }));
        const timer = setTimeout(() => response.destroy(), lingerMs).unref();
        response.once('close', () => clearTimeout(timer));
      }
    },
  };
}
