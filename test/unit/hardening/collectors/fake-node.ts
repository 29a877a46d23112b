import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { NodeAnswer, NodeApi, NodeRequest } from '../../../../hardening/collectors/node-api.ts';
import { type AuditLeaf, bodyHash, encodeAuditLeaf } from '../../../../protocol/merkle/audit-leaf.ts';
import { encodeCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { leafHash } from '../../../../protocol/merkle/hash.ts';
import { encodeNote, noteSignature } from '../../../../protocol/merkle/note.ts';
import { encodeVerifierKey, SIGNATURE_TYPE, type VerifierKey } from '../../../../protocol/merkle/verifier-key.ts';

export interface FakeNodeOptions {
  /** What happens to the bytes of a record that is put. */
  readonly onPut?: (content: Buffer, headers: Readonly<Record<string, string>>) => void;
  /** Told of each request before it is answered. */
  readonly onRequest?: (number: number) => void;
  readonly alterReads?: boolean;
  readonly keepShredded?: boolean;
  /** Proofs name another event than the read. */
  readonly forgetReads?: boolean;
  /** Every answer of a path is this one instead. */
  readonly answers?: Readonly<Record<string, { readonly status: number; readonly body: unknown }>>;
}

/** A node of a few lines: records, one log entry at a time, and a checkpoint under a key of its own. */
export class FakeNode implements NodeApi {
  readonly records = new Map<string, Buffer>();
  readonly requests: string[] = [];
  readonly vkey: string;
  readonly #key: VerifierKey;
  readonly #secret: KeyObject;
  readonly #options: FakeNodeOptions;
  #reads = 0;

  constructor(options: FakeNodeOptions = {}) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.#options = options;
    this.#secret = privateKey;
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    this.#key = { name: 'nectar-byon/test', type: SIGNATURE_TYPE.ed25519, publicKey: raw };
    this.vkey = encodeVerifierKey(this.#key);
  }

  /** Whoever leaves meanwhile hears nothing of what was done. */
  async request(request: NodeRequest): Promise<NodeAnswer> {
    this.requests.push(`${request.method} ${request.path}`);
    this.#options.onRequest?.(this.requests.length);
    const answer = this.#answer(request);
    request.signal?.throwIfAborted();
    return answer;
  }

  #answer({ method, path, headers = {}, body }: NodeRequest): NodeAnswer {
    const fixed = this.#options.answers?.[path];
    if (fixed !== undefined) return json(fixed.status, fixed.body);
    if (method === 'POST' && path === '/v1/records') return this.#put(Buffer.from(body ?? []), headers);
    const [, id = ''] = /^\/v1\/records\/([0-9a-f]{32})$/.exec(path) ?? [];
    if (id !== '') return method === 'DELETE' ? this.#shred(id) : this.#read(id);
    if (path.startsWith('/v1/audit/proof/')) return json(200, this.#proof(Number(path.split('/').at(-1))));
    return json(404, { code: 'GATEWAY_ROUTE_ABSENT' });
  }

  /** The signed note of a tree of one leaf. */
  note(leaf: Uint8Array): string {
    const text = encodeCheckpoint({ origin: this.#key.name, size: 1, root: leafHash(leaf) });
    const signature = new Uint8Array(sign(null, Buffer.from(text), this.#secret));
    return encodeNote({ text, signatures: [noteSignature(this.#key, signature)] });
  }

  #put(content: Buffer, headers: Readonly<Record<string, string>>): NodeAnswer {
    const recordId = createHash('sha256').update(content).update(String(this.records.size)).digest('hex').slice(0, 32);
    this.records.set(recordId, content);
    this.#options.onPut?.(content, headers);
    return json(201, { recordId, version: 1, cid: 'bafkrei', bytes: content.length, auditLeaf: 0 });
  }

  #read(id: string): NodeAnswer {
    const content = this.records.get(id);
    if (content === undefined) return json(410, { code: 'STORE_RECORD_SHREDDED' });
    this.#reads += 1;
    const headers = { 'x-request-id': requestId(this.#reads), 'x-nectar-audit-leaf': String(this.#reads) };
    return { status: 200, headers, body: this.#options.alterReads === true ? Buffer.from('other') : content };
  }

  #shred(id: string): NodeAnswer {
    if (this.#options.keepShredded !== true) this.records.delete(id);
    return json(200, { recordId: id });
  }

  #proof(index: number): object {
    const type = this.#options.forgetReads === true ? 'record.query' : 'record.read';
    const body = Buffer.from(JSON.stringify({ resourceType: 'AuditEvent', request: requestId(index) }));
    const salt = Buffer.alloc(32, 7);
    const time = '2026-11-23T09:00:00.000Z';
    const event: AuditLeaf = { v: 1, time, type, outcome: 'success', bodyHash: bodyHash(salt, body) };
    const leaf = encodeAuditLeaf(event);
    return {
      ...{ v: 1, kind: 'nectar-audit-proof', index: 0, size: 1, leaf: Buffer.from(leaf).toString(), path: [] },
      ...{ checkpoint: this.note(leaf), vkey: this.vkey },
      ...{ salt: salt.toString('base64'), body: body.toString('base64') },
    };
  }
}

function requestId(read: number): string {
  return read.toString(16).padStart(32, '0');
}

export function json(status: number, body: unknown): NodeAnswer {
  return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) };
}
