import Type, { type Static } from 'typebox';

export const p2pConfig = Type.Object(
  {
    listenHost: Type.String({ default: '0.0.0.0', maxLength: 64, description: 'IP address to listen on for peers.' }),
    listenPort: Type.Integer({
      default: 4640,
      minimum: 0,
      maximum: 65535,
      description: 'TCP port for peers; 0 takes a free one.',
    }),
    announce: Type.Array(Type.String({ maxLength: 128 }), {
      default: [],
      maxItems: 8,
      description:
        'Multiaddrs under which peers reach this node, where they differ from what it listens on (NAT, DNS).',
    }),
    allowPrivateAddresses: Type.Boolean({
      default: false,
      description:
        'Dial loopback and private addresses that members registered. True on a devnet and inside one LAN only.',
    }),
    maxConnections: Type.Integer({
      default: 64,
      minimum: 2,
      maximum: 1024,
      description: 'Most connections, inbound and outbound.',
    }),
    maxOutbound: Type.Integer({
      default: 16,
      minimum: 1,
      maximum: 256,
      description: 'Connections that this node opens by itself.',
    }),
    dialIntervalMs: Type.Integer({
      default: 5_000,
      minimum: 20,
      description: 'Time between two looks for peers to dial.',
    }),
    dialBackoffMinMs: Type.Integer({
      default: 1_000,
      minimum: 10,
      description: 'Wait after the first dial of a peer that did not work.',
    }),
    dialBackoffMaxMs: Type.Integer({
      default: 60_000,
      minimum: 10,
      description: 'Longest wait between two dials of one peer.',
    }),
    dialTimeoutMs: Type.Integer({
      default: 5_000,
      minimum: 50,
      description: 'Time in which a peer that is dialled must have proved who it is.',
    }),
    streamTimeoutMs: Type.Integer({
      default: 15_000,
      minimum: 50,
      description: 'Time in which one frame must have come or gone.',
    }),
    catchUpIntervalMs: Type.Integer({
      default: 5_000,
      minimum: 20,
      description: 'Time between two questions to a peer for newer blocks.',
    }),
    maxExchanges: Type.Integer({
      default: 16,
      minimum: 1,
      maximum: 256,
      description:
        'Block exchanges of one kind served at a time, over all peers; each may hold one block of 2 MiB in memory.',
    }),
    maxExchangeMs: Type.Integer({
      default: 600_000,
      minimum: 1_000,
      description: 'Time in which one block exchange must end, however well its frames keep theirs.',
    }),
  },
  { additionalProperties: false },
);

export type P2pConfig = Static<typeof p2pConfig>;
