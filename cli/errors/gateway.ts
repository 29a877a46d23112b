import { EXIT } from '../../appliance/exit-code.ts';
import type { GATEWAY_ERRORS } from '../../protocol/errors/gateway.ts';
import type { Guidance } from './guidance.ts';

export const GATEWAY_GUIDANCE: Record<keyof typeof GATEWAY_ERRORS, Guidance> = {
  GATEWAY_TOKEN_MISSING: {
    exit: EXIT.usage,
    remedy: 'Send `Authorization: Bearer TOKEN`; `nectar-byon token create` makes one.',
  },
  GATEWAY_TOKEN_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Use a token that this node made. A token of another node, an altered one, or one that the node no longer lists opens nothing.',
  },
  GATEWAY_TOKEN_EXPIRED: {
    exit: EXIT.usage,
    remedy: 'Make a new token with `nectar-byon token create`, and check the clocks of both machines.',
  },
  GATEWAY_TOKEN_REVOKED: {
    exit: EXIT.usage,
    remedy: 'Ask the node administrator why; a revoked token never comes back, a new one can be made.',
  },
  GATEWAY_SCOPE_MISSING: {
    exit: EXIT.usage,
    remedy:
      'Make a token with the scope named (`nectar-byon token create --scope SCOPE`), or add the client anew with it (`nectar-byon clients add --scope SCOPE`).',
  },
  GATEWAY_CLIENT_CERTIFICATE_MISSING: {
    exit: EXIT.usage,
    remedy:
      'Connect with the certificate that the token is bound to (`curl --cert FILE --key FILE`). Where `gateway.clientCertificates` is `required`, `nectar-byon clients add` makes one for a program.',
  },
  GATEWAY_CLIENT_CERTIFICATE_UNKNOWN: {
    exit: EXIT.usage,
    remedy:
      'Add the client with `nectar-byon clients add`, or send a bearer token besides. Of a certificate of your own authority, look whether `nectar-byon clients authorities` lists that authority.',
  },
  GATEWAY_CLIENT_CERTIFICATE_MISMATCH: {
    exit: EXIT.usage,
    remedy: 'Use the certificate that came with this token; `nectar-byon clients list` tells which key it is bound to.',
  },
  GATEWAY_CLIENT_CERTIFICATE_EXPIRED: {
    exit: EXIT.usage,
    remedy: 'Add the client anew with `nectar-byon clients add`, and check the clocks of both machines.',
  },
  GATEWAY_CLIENT_CERTIFICATE_NOT_YET: {
    exit: EXIT.usage,
    remedy: 'Check the clocks of both machines.',
  },
  GATEWAY_CLIENT_REVOKED: {
    exit: EXIT.usage,
    remedy: 'Ask the node administrator why; a revoked client never comes back, its program can be added anew.',
  },
  GATEWAY_CLIENT_CERTIFICATE_REVOKED: {
    exit: EXIT.usage,
    remedy: 'Ask the authority that issued the certificate why; a new certificate of it is good again.',
  },
  GATEWAY_CLIENT_REVOCATION_UNKNOWN: {
    exit: EXIT.usage,
    remedy:
      'Give the node the newest list of the authority: `nectar-byon clients revocations FILE`; `nectar-byon status` tells how it is.',
  },
  GATEWAY_CLIENT_REVOCATIONS_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Give complete lists (CRL version 2, with a number), in force now, signed by authorities that `nectar-byon clients authorities` shows. To begin anew: `nectar-byon clients revocations --none`.',
  },
  GATEWAY_CLIENT_REVOCATIONS_PARTIAL: {
    exit: EXIT.usage,
    remedy:
      'Nothing was changed. Give a complete list: ask the authority for one where it gave a delta list. A certificate that a partial list leaves out may be revoked, so the node takes no partial list.',
  },
  GATEWAY_CLIENT_REQUEST_INVALID: {
    exit: EXIT.usage,
    remedy: 'Correct what is named; `nectar-byon clients add --help` shows what is taken.',
  },
  GATEWAY_CLIENT_AUTHORITY_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Give the certificates of your authorities in PEM, at most 16 of them, each an authority that has not expired.',
  },
  GATEWAY_REQUEST_INVALID: {
    exit: EXIT.usage,
    remedy: 'Correct the request; `/openapi.json` of the node describes every part of it.',
  },
  GATEWAY_REQUEST_MALFORMED: {
    exit: EXIT.usage,
    remedy: 'Use a standard HTTP/1.1 client, and send valid JSON where JSON is asked for.',
  },
  GATEWAY_HEADERS_TOO_LARGE: {
    exit: EXIT.usage,
    remedy: 'Send fewer or shorter headers (labels and names travel in headers), or raise `gateway.maxHeaderBytes`.',
  },
  GATEWAY_BODY_TOO_LARGE: {
    exit: EXIT.usage,
    remedy: 'Send a smaller body, or raise the limit in the `gateway` section of the configuration.',
  },
  GATEWAY_MEDIA_TYPE_UNSUPPORTED: {
    exit: EXIT.usage,
    remedy: 'Send `Content-Type: application/json` on JSON routes, and a well-formed media type on record routes.',
  },
  GATEWAY_CONTENT_ENCODING_UNSUPPORTED: {
    exit: EXIT.usage,
    remedy:
      'Send the content itself, or the compressed bytes under their own media type (`application/gzip`) without Content-Encoding.',
  },
  GATEWAY_TUS_VERSION: {
    exit: EXIT.usage,
    remedy: 'Use a tus client of version 1.0.0, or send `Tus-Resumable: 1.0.0`.',
  },
  GATEWAY_ORIGIN_REFUSED: {
    exit: EXIT.usage,
    remedy: 'Add the origin of the page, such as https://app.example, to `gateway.corsOrigins` of the configuration.',
  },
  GATEWAY_HOST_UNKNOWN: {
    exit: EXIT.usage,
    remedy:
      'Ask for a name in the certificate of the node, an address or localhost, or add the name to `gateway.hostNames`.',
  },
  GATEWAY_DIGEST_INVALID: {
    exit: EXIT.usage,
    remedy: 'Send Content-Digest as RFC 9530 describes it: `sha-256=:BASE64:`.',
  },
  GATEWAY_DIGEST_MISMATCH: {
    exit: EXIT.usage,
    remedy:
      'Nothing was stored. The bytes changed on their way, or the digest is of something else; repeat the upload.',
  },
  GATEWAY_ROUTE_ABSENT: {
    exit: EXIT.usage,
    remedy: 'See `/openapi.json` of the node for every route.',
  },
  GATEWAY_METHOD_UNSUPPORTED: {
    exit: EXIT.usage,
    remedy: 'Use one of the methods named in the Allow header.',
  },
  GATEWAY_RANGE_INVALID: {
    exit: EXIT.usage,
    remedy: 'Ask for bytes that begin inside the record.',
  },
  GATEWAY_IDEMPOTENCY_MISMATCH: {
    exit: EXIT.usage,
    remedy: 'Use a fresh Idempotency-Key for every new record; repeat one only to retry the identical request.',
  },
  GATEWAY_IDEMPOTENCY_RUNNING: {
    exit: EXIT.unreachable,
    remedy: 'Wait for the first request, then repeat this one to get the same answer.',
  },
  GATEWAY_REQUEST_TIMEOUT: {
    exit: EXIT.unreachable,
    remedy: 'Check the network between client and node; the limits are in the `gateway` section of the configuration.',
  },
  GATEWAY_UPLOAD_STALLED: {
    exit: EXIT.unreachable,
    remedy: 'Nothing was stored. Check the network and repeat, or raise `gateway.bodyIdleTimeoutMs`.',
  },
  GATEWAY_UPLOAD_ABORTED: {
    exit: EXIT.unreachable,
    remedy: 'Nothing was stored. Repeat the upload.',
  },
  GATEWAY_BUSY: {
    exit: EXIT.unreachable,
    remedy:
      'Wait as long as the Retry-After header says and repeat, or raise the limit in the `gateway` section of the configuration.',
  },
  GATEWAY_TOKEN_BUSY: {
    exit: EXIT.unreachable,
    remedy:
      'Send fewer requests at a time with one token, wait as long as the Retry-After header says, or raise `gateway.maxRequestsPerToken` or `gateway.maxQueuedPerToken`.',
  },
  GATEWAY_OPERATION_RUNNING: {
    exit: EXIT.unreachable,
    remedy: 'Wait until the first one is finished, then repeat.',
  },
  GATEWAY_STOPPING: {
    exit: EXIT.unreachable,
    remedy: 'Repeat when the node is up again.',
  },
  GATEWAY_TOKEN_ABSENT: {
    exit: EXIT.usage,
    remedy: 'See the ids in `nectar-byon token list`.',
  },
  GATEWAY_BOOTSTRAP_TOKEN_INVALID: {
    exit: EXIT.config,
    remedy:
      'Make a random one and put it into the Secret: `openssl rand -hex 32`. The gateway looks again within seconds.',
  },
  GATEWAY_TOKENS_FULL: {
    exit: EXIT.usage,
    remedy: 'Revoke tokens that are no longer used, or wait until old ones have been expired for thirty days.',
  },
  GATEWAY_TOKENS_INVALID: {
    exit: EXIT.config,
    remedy:
      'Unlock the node: the list is then made whole from the audit log. A node whose log is older than that needs the file from a backup. Until then no token opens anything private, so that a revoked one cannot come back.',
  },
  GATEWAY_CERTIFICATE_INVALID: {
    exit: EXIT.config,
    remedy:
      'Put the certificate and its matching key back in place, or let `nectar-byon up` issue a new one from the CA of the node.',
  },
  GATEWAY_SITE_CERTIFICATE_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Have the authority of your site issue another one, and give certificate, chain and key in PEM. Nothing was changed: clients see the certificate that they saw before.',
  },
  GATEWAY_CERTIFICATE_NAME_EXCLUDED: {
    exit: EXIT.usage,
    remedy:
      'The CA is limited to the names given at init and to private addresses: `nectar-byon tls renew --name NAME --authority` makes one for more, `nectar-byon tls replace` takes a certificate of your site.',
  },
  GATEWAY_PORT_IN_USE: {
    exit: EXIT.config,
    remedy:
      'Stop the other program (where it is not named, `sudo ss -ltnp` does), or give the node another port: `nectar-byon config set gateway.port 9443` (or gateway.metricsPort, where that is named), then `nectar-byon up`.',
  },
  GATEWAY_LISTEN_REFUSED: {
    exit: EXIT.config,
    remedy: 'Choose an address of this machine and a port from 1024 up (`gateway.host`, `gateway.port`).',
  },
};
