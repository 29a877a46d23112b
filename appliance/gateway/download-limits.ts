import type { FastifyRequest } from 'fastify';
import type { DownloadLimits } from './download.ts';
import type { RouteContext } from './gateway-server.ts';

/** The bounds of an answer that is streamed, and what is told of one that was cut off. */
export function downloadLimits(request: FastifyRequest, { config, deps, metrics }: RouteContext): DownloadLimits {
  return {
    stallMs: config.responseStallTimeoutMs,
    onBytes: (count) => metrics.sent.inc(count),
    onTruncated: (cause) => {
      metrics.truncated.inc();
      const data = { requestId: request.access.requestId, err: cause };
      if (cause === undefined) deps.log.debug(data, 'client left during a download');
      else deps.log.error(data, 'download cut off');
    },
  };
}
