import Type, { type Static } from 'typebox';

const KIB_BYTES = 1024;
const TIB_BYTES = 1024 ** 4;

const bounded = (description: string, value: number, minimum = 1, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ description, default: value, minimum, maximum });

/** The `gateway` section of the configuration. */
export const GatewayConfig = Type.Object(
  {
    host: Type.String({ description: 'Address the HTTPS API listens on.', default: '127.0.0.1', minLength: 1 }),
    port: bounded('Port of the HTTPS API; 0 takes any free one.', 8443, 0, 65_535),
    bootstrapTokenFile: Type.String({
      description:
        'File with a first token of the owner, for a node that no `init` gave one: 43 to 128 letters, digits, - and _ drawn at random. Another one in its place ends it.',
      default: '',
    }),
    metricsPort: bounded('Port of the Prometheus metrics, plain HTTP; 0 turns this listener off.', 0, 0, 65_535),
    metricsHost: Type.String({
      description: 'Address the metrics listen on: they hold no personal data, and nobody is asked for a token.',
      default: '127.0.0.1',
      minLength: 1,
    }),
    maxHeaderBytes: bounded('Size of all request headers together.', 16 * KIB_BYTES, KIB_BYTES, 1024 * KIB_BYTES),
    maxJsonBytes: bounded('Size of a JSON request body.', 64 * KIB_BYTES, KIB_BYTES),
    maxRpcBytes: bounded('Size of a JSON-RPC request body.', 1024 * KIB_BYTES, KIB_BYTES),
    maxRpcBatch: bounded('Calls in one JSON-RPC batch.', 1_000, 1, 1_000),
    maxRecordBytes: bounded('Size of one record.', TIB_BYTES),
    maxConnections: bounded(
      'Open connections. When all are taken, one without a valid token makes room, then one that is idle.',
      512,
    ),
    maxStrangers: bounded(
      'Of them, connections that have not shown a valid token yet; never more than three quarters of all.',
      256,
    ),
    maxStrangersPerNetwork: bounded(
      'The same from one IPv4 address or one /64 of IPv6; the oldest is closed for a new one.',
      64,
    ),
    strangersPerSecond: bounded(
      'New connections a second from one network, beyond a burst of eight times as many; those that show a valid token do not count.',
      32,
    ),
    trustedNetworks: Type.Array(
      Type.String({ minLength: 1, maxLength: 64, pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$' }),
      {
        description:
          'Addresses or CIDR blocks of proxies of yours, which the bounds of one network do not hold for. Loopback is always one.',
        default: [],
        maxItems: 64,
      },
    ),
    clientCertificates: Type.Union([Type.Literal('off'), Type.Literal('optional'), Type.Literal('required')], {
      description:
        'Certificates of machines that call: `off` asks for none, `optional` takes those of clients that were added, `required` takes no caller without one but the command line of this machine.',
      default: 'optional',
    }),
    handshakeTimeoutMs: bounded('Time a client has to agree on TLS.', 10_000, 100),
    maxRequests: bounded('Authorised requests served at a time, uploads and downloads included.', 256),
    maxRequestsPerToken: bounded('Of them, requests of one token; more of it wait.', 128),
    maxRequestsPerSecondPerToken: bounded('Requests of one token begun a second; more of it wait.', 10_000),
    maxQueued: bounded('Requests that wait for their turn, each token in turn; more are refused.', 1_024, 0),
    maxQueuedPerToken: bounded('The same of one token.', 512, 0),
    maxQueueMs: bounded('The longest that a request waits for its turn.', 15_000, 1),
    maxUploads: bounded(
      'Uploads served at a time that are larger than 64 KiB, or do not say how large they are; more wait.',
      16,
    ),
    corsOrigins: Type.Array(
      Type.String({ minLength: 1, maxLength: 300, pattern: '^[a-z][a-z0-9+.-]*://[A-Za-z0-9.\\[\\]:_-]+$' }),
      {
        description:
          'Origins of web pages that may call /rpc, such as https://app.example; every page of another origin is refused there.',
        default: [],
        maxItems: 64,
      },
    ),
    maxRpcSockets: bounded('WebSocket connections to /rpc.', 128, 0, 4_096),
    maxRpcSocketsPerToken: bounded('Of them, connections of one token.', 32, 1, 4_096),
    maxRpcSocketBufferBytes: bounded(
      'What may wait for a slow WebSocket client, besides the longest message; beyond it the connection is ended.',
      4 * 1024 * KIB_BYTES,
      64 * KIB_BYTES,
    ),
    hostNames: Type.Array(Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9._-]+$' }), {
      description:
        'Names that clients may ask for, besides those in the certificate, localhost and addresses; others are refused.',
      default: [],
      maxItems: 64,
    }),
    securityContacts: Type.Array(
      Type.String({ minLength: 8, maxLength: 512, pattern: '^(https://|mailto:|tel:)[!-~]+$' }),
      {
        description:
          'Where vulnerabilities of this node are to be reported, the preferred one first: `https://`, `mailto:` or `tel:`. The node shows them to everybody at /.well-known/security.txt (RFC 9116).',
        default: [],
        maxItems: 8,
      },
    ),
    securityExpires: Type.String({
      description:
        'The day on which those contacts must have been looked at again, less than a year ahead, such as 2027-06-30: from then on security.txt is not served.',
      default: '',
      pattern: '^(\\d{4}-\\d{2}-\\d{2})?$',
    }),
    headersTimeoutMs: bounded('Time a client has to send its request headers.', 10_000, 100),
    bodyTimeoutMs: bounded('Time a client has to send a whole JSON body.', 15_000, 100),
    bodyIdleTimeoutMs: bounded('Longest pause in an upload.', 60_000, 100),
    responseStallTimeoutMs: bounded('Longest time a client may accept no byte of a download.', 60_000, 100),
    keepAliveTimeoutMs: bounded('Time an idle connection stays open.', 30_000, 100),
    drainTimeoutMs: bounded('Time that requests in flight have to finish when the node stops.', 10_000, 0),
    lingerMs: bounded('Time a refused upload is still read, so that the client sees the refusal.', 5_000, 0),
    maxIdempotencyKeys: bounded('Idempotency keys remembered; the oldest are forgotten first.', 100_000),
    idempotencyTtlMs: bounded('Time an idempotency key is remembered.', 24 * 3_600_000),
    maxDenialsPerMinute: bounded(
      'Refused requests written to the audit log per minute; more are counted, and the count is written.',
      60,
    ),
  },
  { description: "The owner's HTTPS API.", additionalProperties: false, default: {} },
);
export type GatewayConfig = Static<typeof GatewayConfig>;
