import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createCertificates } from '../../../appliance/gateway/index.ts';
import { writeRunning } from '../../../cli/provision/process/running.ts';
import type { RecordId } from '../../../protocol/brand.ts';
import { presenceOf } from '../appliance/gateway/presence-of.ts';

export interface Kept {
  readonly name: string | undefined;
  readonly labels: readonly string[];
  readonly content: string;
  version: number;
}

interface Sent {
  readonly content: string;
  readonly name?: string;
  readonly labels?: readonly string[];
  readonly idempotencyKey?: string;
}

interface Put {
  readonly receipt?: object;
  readonly replayed?: boolean;
  readonly problem?: object;
}

/** A gateway double over real TLS that keeps what is put, and answers a key that it has seen with the first receipt. */
export class StoringGateway {
  readonly kept = new Map<string, Kept>();
  /** Records by their idempotency key. */
  readonly keys = new Map<string, string>();
  readonly requests: string[] = [];
  /** Names that are refused, alone or together with others. */
  readonly refused = new Set<string>();
  /** Records that the log tells of and the index does not have. */
  readonly lost = new Set<string>();
  /** From this record on, the disk is full. */
  fullFrom = Number.POSITIVE_INFINITY;
  /** The connection breaks before the answer to a batch. */
  isSilent = false;
  #close = (): void => undefined;

  static async start(home: string): Promise<StoringGateway> {
    const gateway = new StoringGateway();
    const made = await createCertificates({ nodeId: 'ab'.repeat(16), hostName: 'test', names: [], now: Date.now() });
    for (const path of ['tls', 'client', 'run']) mkdirSync(join(home, path), { recursive: true });
    for (const path of ['config.json', 'keys.json']) writeFileSync(join(home, path), '{}');
    writeFileSync(join(home, 'tls/ca.crt'), made.caCertificate);
    writeFileSync(join(home, 'client/token'), 'the-token\n');
    const server = createServer({ key: made.serverKey, cert: made.serverCertificate }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => gateway.#answer(request, response, Buffer.concat(chunks)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    writeRunning(home, `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    gateway.#close = () => {
      server.closeAllConnections();
      server.close();
    };
    return gateway;
  }

  close(): void {
    this.#close();
  }

  #answer({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse, body: Buffer): void {
    this.requests.push(`${method} ${url}`);
    const record = url.split('/')[3] ?? '';
    if (method === 'HEAD') {
      const found = this.kept.get(record);
      const status = this.lost.has(record) ? 500 : found === undefined ? 404 : 200;
      response.writeHead(status, { 'x-nectar-record-version': found?.version ?? 0 }).end();
    } else if (record === 'present') {
      const { records: ids } = JSON.parse(body.toString()) as { records: RecordId[] };
      const records = ids.map((recordId) =>
        this.lost.has(recordId) ? { recordId, state: 'lost' } : presenceOf(recordId, this.kept.get(recordId)?.version),
      );
      answerJson(response, 200, { records });
    } else if (record === 'batch') {
      const { status, value } = this.#putMany(JSON.parse(body.toString()) as { records: Sent[] });
      if (this.isSilent) response.destroy();
      else answerJson(response, status, value);
    } else {
      const sent = { content: body.toString(), ...described(headers) };
      const { status, value, replayed } = this.#putOne(sent, method === 'PUT' ? record : undefined);
      if (replayed === true) response.setHeader('idempotency-replayed', 'true');
      answerJson(response, status, value);
    }
  }

  #putMany({ records }: { records: readonly Sent[] }) {
    const bad = records.findIndex(({ name = '' }) => this.refused.has(name));
    if (bad >= 0) return { status: 400, value: refusal(`/records/${bad}/name`) };
    return {
      status: 200,
      value: { results: records.map((sent) => this.#put({ ...sent, content: text(sent.content) })) },
    };
  }

  #putOne(sent: Sent, record: string | undefined) {
    if (this.refused.has(sent.name ?? '')) return { status: 400, value: refusal('/x-nectar-name') };
    const { problem: full, receipt, replayed } = this.#put(sent, record);
    return full === undefined ? { status: 201, value: receipt, replayed } : { status: 507, value: full };
  }

  #put({ content, name, labels = [], idempotencyKey }: Sent, record?: string): Put {
    if (this.kept.size >= this.fullFrom) return { problem: problem(507, 'NODE_DISK_FULL', { path: '/store' }) };
    const first = idempotencyKey === undefined ? undefined : this.keys.get(idempotencyKey);
    const recordId = first ?? record ?? randomBytes(16).toString('hex');
    const version = record === undefined ? 1 : (this.kept.get(record)?.version ?? 0) + 1;
    if (first === undefined) this.kept.set(recordId, { name, labels, content, version });
    if (idempotencyKey !== undefined) this.keys.set(idempotencyKey, recordId);
    const receipt = { recordId, version, cid: 'bafk', bytes: content.length, auditLeaf: this.kept.size };
    return first === undefined ? { receipt } : { receipt, replayed: true };
  }
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

function described(headers: IncomingMessage['headers']): Omit<Sent, 'content'> {
  const { 'x-nectar-name': name, 'x-nectar-labels': labels, 'idempotency-key': idempotencyKey } = headers;
  return {
    ...(name !== undefined && { name: decodeURIComponent(String(name)) }),
    ...(labels !== undefined && { labels: String(labels).split(',').map(decodeURIComponent) }),
    ...(idempotencyKey !== undefined && { idempotencyKey: String(idempotencyKey) }),
  };
}

function refusal(path: string): object {
  return problem(400, 'GATEWAY_REQUEST_INVALID', {
    part: 'body',
    path,
    reason: 'has characters that cannot be printed',
  });
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const answer = JSON.stringify(value);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) };
  response.writeHead(status, headers).end(answer);
}

function problem(status: number, code: string, data: object) {
  return { type: 'about:blank', title: code, status, detail: code, code, requestId: 'r', data };
}
