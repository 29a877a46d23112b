import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { GatewayAuditExport, GatewayAuditQuery } from '../../../../appliance/gateway/audit-needs.ts';
import type {
  AccessContext,
  GatewayAuditEvent,
  GatewayDependencies,
} from '../../../../appliance/gateway/dependencies.ts';
import type { RekeyState } from '../../../../appliance/gateway/key-schemas.ts';
import type {
  Expected,
  PutInput,
  PutReceipt,
  StoredMeta,
  UploadState,
} from '../../../../appliance/gateway/store-needs.ts';
import type { Tokens } from '../../../../appliance/gateway/tokens.ts';
import { createLogger, createNodeMetrics, type Metrics, readFamilies } from '../../../../appliance/telemetry/index.ts';
import type { Cid, RecordId, RootHash } from '../../../../protocol/brand.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { chainDouble } from './chain-double.ts';
import { custodyDouble } from './custody-double.ts';
import { logLevelsDouble } from './log-levels-double.ts';
import { loggedNotesOf } from './logged-notes-of.ts';
import { presenceOf } from './presence-of.ts';

export const NODE_ID = '0123456789abcdef0123456789abcdef';
export const NOW = Date.UTC(2026, 10, 23, 6);
const SINCE = new Date(NOW).toISOString();

/** A store in memory, with hooks that the tests bend. */
export class StoreDouble {
  readonly records = new Map<string, { meta: StoredMeta; bytes: Uint8Array }[]>();
  readonly aborts: unknown[] = [];
  returned = 0;
  failPut: Error | undefined;
  failRewrap: Error | undefined;
  failAfterBytes: number | undefined;
  putGate: Promise<void> | undefined;
  lieBytes = 0;
  puts = 0;
  readonly inputs: PutInput[] = [];
  readonly remembered = new Map<string, PutReceipt>();

  async put(input: PutInput, body: AsyncIterable<Uint8Array>, _: unknown, signal: AbortSignal) {
    this.puts++;
    this.inputs.push(input);
    const remembered = this.remembered.get(input.idempotency?.key ?? '');
    if (remembered !== undefined) {
      for await (const _ of body) signal.throwIfAborted();
      return { ...remembered, replayed: true as const };
    }
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of body) {
        if (this.failPut !== undefined) throw this.failPut;
        chunks.push(chunk);
      }
      if (this.failPut !== undefined) throw this.failPut;
      await this.putGate;
      signal.throwIfAborted();
    } catch (error) {
      this.aborts.push(error);
      throw error;
    }
    const bytes = Buffer.concat(chunks);
    const recordId = input.recordId ?? (randomBytes(16).toString('hex') as RecordId);
    const versions = this.records.get(recordId) ?? [];
    if (input.recordId !== undefined && versions.length === 0) throw absent(recordId);
    this.requireExpected(recordId, input.expected);
    const cid = `bafk${createHash('sha256').update(bytes).digest('hex')}` as Cid;
    const meta: StoredMeta = {
      recordId,
      version: versions.length + 1,
      bytes: bytes.length,
      contentType: input.contentType,
      labels: input.labels,
      ...(input.name !== undefined && { name: input.name }),
      cid,
      createdAt: new Date(NOW).toISOString(),
      kekId: 'kek/1',
      replicas: [],
      anchored: false,
      ...(input.digests !== undefined && { digests: input.digests }),
    };
    this.records.set(recordId, [...versions, { meta, bytes }]);
    const receipt: PutReceipt = { recordId, version: meta.version, cid, bytes: bytes.length, auditLeaf: 7 };
    if (input.idempotency !== undefined) this.remembered.set(input.idempotency.key, receipt);
    return receipt;
  }

  private requireExpected(id: string, expected?: Expected) {
    if (expected === undefined) return;
    const { meta } = this.find(id);
    const names = (tags: 'any' | readonly string[]) => tags === 'any' || tags.includes(meta.cid);
    const { match, noneMatch } = expected;
    if ((match !== undefined && !names(match)) || (noneMatch !== undefined && names(noneMatch)))
      throw new NectarError('STORE_PRECONDITION_FAILED', { recordId: id, version: meta.version });
  }

  find(id: string, version?: number) {
    const found = this.records.get(id)?.at(version === undefined ? -1 : version - 1);
    if (found === undefined) throw absent(id);
    return found;
  }

  async open(id: RecordId, options: { version?: number; range?: { start: number; end?: number } }) {
    const { meta, bytes } = this.find(id, options.version);
    const start = options.range?.start ?? 0;
    const end = options.range?.end ?? bytes.length;
    return { meta, start, end, body: this.chunks(bytes.subarray(start, end)), auditLeaf: 8 };
  }

  async *chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (let at = 0; at < bytes.length; at += 64 * 1024) {
        if (this.failAfterBytes !== undefined && at >= this.failAfterBytes)
          throw new Error('segment does not authenticate');
        yield bytes.subarray(at, at + 64 * 1024);
      }
      if (this.lieBytes > 0) yield new Uint8Array(this.lieBytes);
    } finally {
      this.returned++;
    }
  }

  async head(id: RecordId, options: { version?: number }) {
    return this.find(id, options.version).meta;
  }

  readonly partial = new Map<
    string,
    { input: PutInput; bytes: number; got: Buffer; owner: string; receipt?: PutReceipt }
  >();
  readonly uploads = {
    begin: async ({ input, bytes }: { input: PutInput; bytes: number }, { actor }: AccessContext) => {
      const id = randomBytes(16).toString('hex');
      this.partial.set(id, { input, bytes, got: Buffer.alloc(0), owner: actor.subject });
      return this.progress(id, actor.subject);
    },
    append: async (
      id: string,
      { offset, body }: { offset: number; body: AsyncIterable<Uint8Array> },
      context: AccessContext,
      signal: AbortSignal,
    ) => {
      const upload = this.partial.get(id);
      this.progress(id, context.actor.subject);
      if (upload === undefined || offset !== upload.got.length)
        throw new NectarError('STORE_UPLOAD_OFFSET', { upload: id, offset: upload?.got.length ?? 0 });
      for await (const chunk of body) upload.got = Buffer.concat([upload.got, chunk]);
      if (upload.got.length === upload.bytes)
        upload.receipt = await this.put(upload.input, Readable.from([upload.got]), context, signal);
      return this.progress(id, context.actor.subject);
    },
    state: async (id: string, { actor }: AccessContext) => this.progress(id, actor.subject),
    discard: async (id: string, { actor }: AccessContext) => {
      this.progress(id, actor.subject);
      this.partial.delete(id);
    },
  };

  private progress(id: string, owner: string): UploadState {
    const upload = this.partial.get(id);
    if (upload?.owner !== owner) throw new NectarError('STORE_UPLOAD_ABSENT', { upload: id });
    const { bytes, got, receipt } = upload;
    const expiresAt = new Date(NOW).toISOString();
    return { id, offset: got.length, bytes, expiresAt, ...(receipt !== undefined && { receipt }) };
  }

  async present(ids: readonly RecordId[]) {
    return ids.map((recordId) => presenceOf(recordId, this.records.get(recordId)?.at(-1)?.meta.version));
  }
  async list(query: { label?: string; limit: number; cursor?: string }) {
    const all = [...this.records.values()]
      .map((versions) => versions.at(-1)?.meta)
      .filter((meta) => meta !== undefined);
    const records = all
      .filter((meta) => query.label === undefined || meta.labels.includes(query.label))
      .slice(0, query.limit);
    return { records, ...(all.length > query.limit && { cursor: 'next' }) };
  }

  async shred(id: RecordId, _: unknown, expected?: Expected) {
    this.find(id);
    this.requireExpected(id, expected);
    this.records.delete(id);
    return { recordId: id, destroyedAt: new Date(NOW).toISOString(), signature: 'c2ln' };
  }

  rekeying: RekeyState | undefined;

  async rekey({ target, load }: { target?: string; load: number }): Promise<RekeyState> {
    const before = this.rekeying;
    if (target === undefined && before === undefined) throw new NectarError('STORE_REKEY_ABSENT', {});
    const startedAt = new Date(NOW).toISOString();
    const begun = { target: target ?? '', startedAt, total: this.records.size, done: 0, failed: 0, bytes: 0 };
    this.rekeying = { ...begun, ...(target === undefined ? before : {}), state: 'running', load };
    return this.rekeying;
  }

  async pauseRekey(): Promise<RekeyState> {
    if (this.rekeying === undefined) throw new NectarError('STORE_REKEY_ABSENT', {});
    this.rekeying = { ...this.rekeying, state: 'paused' };
    return this.rekeying;
  }

  shardsOf = async (recordId: RecordId) => ({ recordId, version: 1, segments: [] });
  drill = async (of: { recordId: RecordId; segment: number }) => ({ ...of, version: 1, bytes: 5, blocks: 1 });
  repaired: { awayFrom?: string } | undefined;
  async repairShards(options: { awayFrom?: string }) {
    this.repaired = options;
    return { ...{ holders: 0, segments: 0, durable: 0, waiting: 0, repairs: 0 }, margins: {}, standings: [] };
  }
  changeOffer = async (bytes: number) => ({ bytes, heldBytes: 7, from: 'command' as const });

  kept = 0;
  async keepReplaced(milliseconds: number) {
    this.kept = milliseconds;
  }

  async rewrap() {
    if (this.failRewrap !== undefined) throw this.failRewrap;
    return { rewrapped: this.records.size };
  }

  /** The keyset that was handed out last. */
  keyset = Buffer.alloc(0);

  exportCar(id: RecordId, options: { version?: number }) {
    return this.car(id, options.version);
  }

  private async *car(id: RecordId, version?: number) {
    yield* this.chunks(this.find(id, version).bytes);
  }

  async exportTink(id: RecordId, { part, version }: { part: 'blob' | 'keyset'; version?: number }) {
    const { meta, bytes } = this.find(id, version);
    const facts = {
      recordId: id,
      version: meta.version,
      blobBytes: bytes.length,
      associatedData: '01ff',
      auditLeaf: 9,
    };
    this.keyset = Buffer.from('{"primaryKeyId":1}');
    return { ...facts, body: part === 'blob' ? this.chunks(bytes) : Readable.from([this.keyset]) };
  }

  async fsck({ accept }: { accept: boolean }) {
    return { records: 1, versions: 1, rebuilt: 0, removed: 0, lostVersions: 0, lost: [], accepted: accept };
  }

  async adopt() {
    return { offered: 1, adopted: 1, refused: 0, wanted: [] };
  }

  async scrub() {
    return { blocks: 1, findings: [] };
  }
}

function absent(recordId: string): NectarError {
  return new NectarError('STORE_RECORD_NOT_FOUND', { recordId });
}

/** An audit log in memory. */
export class AuditDouble {
  readonly events: GatewayAuditEvent[] = [];
  fail: Error | undefined;

  async append(event: GatewayAuditEvent) {
    if (this.fail !== undefined) throw this.fail;
    return { index: this.events.push(event) - 1 };
  }
  loggedNotes = async () => loggedNotesOf(this, NOW);
  async checkpoint() {
    return { origin: 'nectar.test/audit', size: 3, root: 'ab'.repeat(32) as RootHash, note: 'nectar.test/audit\n3\n' };
  }
  async entry(index: number) {
    return { index, leaf: { v: 1 }, body: { resourceType: 'AuditEvent' } };
  }
  readonly asked: GatewayAuditQuery[] = [];
  readonly exported: GatewayAuditExport[] = [];
  async query(query: GatewayAuditQuery) {
    this.asked.push(query);
    const entries = Array.from({ length: Math.min(query.limit, 3) }, (_, index) => ({
      index,
      leaf: { v: 1 },
      body: { resourceType: 'AuditEvent' },
    }));
    return { entries, from: 0, to: 3, undecided: 0 };
  }
  async export(request: GatewayAuditExport) {
    this.exported.push(request);
    return (async function* () {
      yield Buffer.from('{"kind":"nectar-audit-bundle"}\n');
    })();
  }
  async prove(index: number, context?: AccessContext) {
    return { index, path: ['ab'.repeat(32)], ...(context !== undefined && { body: 'e30=' }) };
  }
  async verify({ anchors }: { anchors: readonly unknown[] }) {
    return { integrity: 'ok', completeness: anchors.length > 0 ? 'ok' : 'unknown', size: 3, findings: [] };
  }
  readonly told: unknown[] = [];
  async resolve({ told = [] }: { told?: readonly unknown[] }) {
    this.told.push(...told);
    const origin = 'log.example/epoch/2/3/00112233445566aa';
    return { number: 2, start: 3, origin, at: 5, cause: 'resolve' as const, from: 3, lost: 4 };
  }
}

/** Mutable facts of the node behind the gateway. */
export interface NodeDouble {
  state: 'locked' | 'unlocked';
  ready: boolean;
  now: number;
  passphrase: string;
  unlockGate?: Promise<void>;
  /** What a new head waits for. */
  headGate?: () => Promise<void>;
  /** Beside the number of a head, in each. */
  headFilling?: string;
}

export interface DependencyParts {
  readonly node: NodeDouble;
  readonly tokens: Tokens;
  readonly store: StoreDouble;
  readonly audit: AuditDouble;
  readonly metrics: Metrics;
}

export function createDependencies(parts: DependencyParts): GatewayDependencies {
  const { node, tokens, store, audit, metrics } = parts;
  return {
    custody: custodyDouble(),
    keys: {
      state: () => node.state,
      async unlock(secret) {
        await node.unlockGate;
        const given = secret.provider === 'passphrase' ? new TextDecoder().decode(secret.passphrase) : node.passphrase;
        if (given !== node.passphrase) throw new NectarError('KEY_PASSPHRASE_WRONG', {});
        node.state = 'unlocked';
      },
      list: () => [{ id: 'kek/1', createdAt: new Date(NOW).toISOString(), current: true, provider: 'passphrase' }],
      purposes: () => [{ purpose: 'index', state: 'first' }],
      providers: () => [
        {
          id: 'passphrase-1',
          provider: 'passphrase',
          title: 'a passphrase',
          attended: true,
          createdAt: new Date(NOW).toISOString(),
        },
      ],
      rotate: async () => ({ from: 'kek/1', to: 'kek/2', generation: 2 }),
      retire: async () => ({ destroyed: ['kek/1'], generation: 3 }),
      enroll: async ({ provider }) => ({ id: `${provider}-4`, generation: 4 }),
      change: async (_, { provider }) => ({ id: `${provider}-5`, generation: 5 }),
      async remove(id) {
        throw new NectarError('KEY_PROVIDER_LAST', { id });
      },
      replaceRoot: async ({ without }: { without: readonly string[] }) => {
        return { providers: ['passphrase-1', 'file-1'].filter((id) => !without.includes(id)), generation: 3 };
      },
      async resolve() {
        throw new NectarError('KEY_STORE_AGREES', {});
      },
    },
    backups: {
      sign: async () => new Uint8Array(64).fill(7),
      repositoryKey: async () => new Uint8Array(32).fill(9),
    },
    audit,
    store,
    rollup: {
      async rpc(body) {
        if (Array.isArray(body))
          return body.map((item: { id: unknown }) => ({ jsonrpc: '2.0', id: item.id, result: '0x1' }));
        const { id, method } = body as { id?: unknown; method: string };
        return id === undefined ? undefined : { jsonrpc: '2.0', id, result: method };
      },
      async *subscribe(params, _caller, signal) {
        const [name] = params as unknown[];
        if (name !== 'newHeads') return yield { kind: 'refused', code: -32602, message: 'no such subscription' };
        yield { kind: 'opened' };
        for (let number = 1; !signal.aborted; number++) {
          const { headFilling: filling } = node;
          yield { kind: 'event', result: { number, ...(filling !== undefined && { filling }) } };
          await node.headGate?.();
        }
      },
      ...chainDouble,
      async *snapshot() {
        yield Buffer.from('state');
      },
    },
    p2p: {
      peers: () => [
        { ...{ peerId: '12D3KooWPeer', address: '/ip4/127.0.0.1/tcp/1' }, direction: 'inbound', since: SINCE },
      ],
    },
    anchor: { anchors: async () => [{ size: 2, root: 'cd'.repeat(32) as RootHash, where: 'l2:5' }] },
    node: {
      readiness: () =>
        node.ready ? { ready: true, reasons: [] } : { ready: false, reasons: [{ service: 'keys', reason: 'locked' }] },
      status: async () => ({
        ready: node.ready,
        reasons: [],
        locked: node.state === 'locked',
        nodeId: NODE_ID,
        peerId: '12D3KooWNode',
        network: 'devnet',
        version: '0.1.0',
        uptimeSeconds: 1.5,
        roles: ['all'],
        l2: { unsafe: 5, safe: 4, finalized: 3 },
        peers: 1,
        records: store.records.size,
        audit: { size: 3, root: 'ab'.repeat(32) },
        anchored: null,
        ...(store.rekeying !== undefined && {
          storage: { ...{ index: 'fresh', missing: 0, damaged: 0, pendingErasures: 0 }, rekey: store.rekeying },
        }),
      }),
      network: async () => ({
        network: 'devnet',
        l1ChainId: 31337,
        l2ChainId: 6328270,
        genesisHash: `0x${'00'.repeat(32)}`,
        peerId: '12D3KooWNode',
        addresses: [],
        membership: 'Active',
      }),
      join: async () => ({ membership: 'Applied', transaction: '0x01' }),
      leave: async () => ({ membership: 'active', transaction: '0x02' }),
      appeal: async () => ({ membership: 'draining', transaction: '0x03' }),
    },
    auditor: {
      queue: async () => ({ account: '0x00', isAuditor: true, due: [] }),
      decide: async () => ({ nodeId: '0x01', transaction: '0x04', isIncluded: true }),
    },
    tokens,
    log: createLogger({ level: 'silent' }),
    metrics,
    logLevels: logLevelsDouble(),
    nodeMetrics: createNodeMetrics([{ role: 'all', read: () => readFamilies(metrics) }]),
    now: () => node.now,
    randomBytes: (length) => randomBytes(length),
  };
}
