import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { JWK_OKP_Public } from 'jose';
import { Value } from 'typebox/value';
import { GatewayConfig } from '../../../../appliance/gateway/config.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../../../appliance/gateway/gateway.ts';
import type { Scope } from '../../../../appliance/gateway/schema-parts.ts';
import { type Certificates, createCertificates } from '../../../../appliance/gateway/tls.ts';
import { createTokenSigner, createTokens, type Tokens } from '../../../../appliance/gateway/tokens.ts';
import { createMetrics, type Metrics } from '../../../../appliance/telemetry/index.ts';
import { AuditDouble, createDependencies, NODE_ID, NOW, type NodeDouble, StoreDouble } from './doubles.ts';

export interface Harness {
  readonly gateway: Gateway;
  readonly store: StoreDouble;
  readonly audit: AuditDouble;
  readonly tokens: Tokens;
  readonly metrics: Metrics;
  readonly certificates: Certificates;
  readonly folder: string;
  readonly port: number;
  readonly node: NodeDouble;
  token(...scope: Scope[]): Promise<string>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A raw TLS connection, for clients that do not keep to HTTP. */
  dial(): Promise<TLSSocket>;
  stop(): Promise<void>;
}

export interface CallOptions {
  readonly token?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Uint8Array | Readable;
  readonly json?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly bytes: Buffer;
  /** The body was cut off. */
  readonly aborted: boolean;
  json(): Record<string, unknown> & { code?: string };
}

export async function startHarness(
  config: Partial<GatewayConfig> = {},
  options: Pick<GatewayOptions, 'localSocketPath'> = {},
): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-gateway-'));
  const certificates = await createCertificates({ nodeId: NODE_ID, hostName: 'node', names: [], now: Date.now() });
  await writeFile(join(folder, 'server.crt'), certificates.serverCertificate);
  await writeFile(join(folder, 'server.key'), certificates.serverKey);
  const node: NodeDouble = { state: 'unlocked', ready: true, now: NOW, passphrase: 'open sesame' };
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const tokens = await createTokens(
    {
      path: join(folder, 'tokens.json'),
      nodeId: NODE_ID,
      publicJwk: publicKey.export({ format: 'jwk' }) as JWK_OKP_Public,
    },
    {
      signer: createTokenSigner(privateKey.export({ format: 'der', type: 'pkcs8' })),
      now: () => node.now,
      randomBytes,
    },
  );
  const [store, audit, metrics] = [new StoreDouble(), new AuditDouble(), createMetrics()];
  const defaults = Value.Default(GatewayConfig, {}) as GatewayConfig;
  const settings = { ...defaults, port: 0, lingerMs: 200, drainTimeoutMs: 500, ...config };
  const deps = createDependencies({ node, tokens, store, audit, metrics });
  const paths = {
    certificatePath: join(folder, 'server.crt'),
    keyPath: join(folder, 'server.key'),
    ...options,
    hardeningPath: join(folder, 'hardening.json'),
    backupsPath: join(folder, 'backups.json'),
    clientPaths: clientPathsOf(folder),
  };
  const gateway = createGateway({ config: settings, version: '0.1.0', ...paths }, deps);
  await gateway.start(new AbortController().signal);
  const port = Number(new URL(gateway.url()).port);
  const agent = new Agent({ ca: certificates.caCertificate, keepAlive: true });
  const issued = new Map<string, string>();

  return {
    gateway,
    store,
    audit,
    tokens,
    metrics,
    certificates,
    folder,
    port,
    node,
    async token(...scope) {
      const key = scope.join(' ');
      const known = issued.get(key) ?? (await tokens.issue({ subject: 'tester', scope, expiresInSeconds: 3600 })).token;
      issued.set(key, known);
      return known;
    },
    call: (method, path, options = {}) =>
      call({ agent, host: '127.0.0.1', port, servername: 'localhost', method, path }, options),
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect(
          { host: '127.0.0.1', port, servername: 'localhost', ca: certificates.caCertificate },
          () => resolve(socket),
        );
        socket.once('error', reject);
      }),
    async stop() {
      agent.destroy();
      await gateway.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export function clientPathsOf(folder: string): GatewayOptions['clientPaths'] {
  const at = (name: string) => join(folder, name);
  return {
    certificate: at('clients-ca.crt'),
    key: at('clients-ca.key'),
    site: at('clients-site-ca.crt'),
    revocations: { lists: at('clients-site.crl'), floors: at('clients-site-crl.json') },
  };
}

function call(target: RequestOptions, { token, headers, body, json }: CallOptions): Promise<Answer> {
  const payload = json === undefined ? body : JSON.stringify(json);
  const sent = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(json !== undefined && { 'content-type': 'application/json' }),
    ...(typeof payload === 'string' && { 'content-length': String(Buffer.byteLength(payload)) }),
    ...(payload instanceof Uint8Array && { 'content-length': String(payload.length) }),
    ...headers,
  };
  return new Promise((resolve) => {
    const outgoing = request({ ...target, headers: sent }, (incoming) => {
      const chunks: Buffer[] = [];
      const settle = (aborted: boolean) => () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          bytes,
          aborted,
          json: () => JSON.parse(bytes.toString('utf8')),
        });
      };
      incoming
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', settle(false))
        .on('error', settle(true));
    });
    // A connection cut off before the headers came through: status 0.
    outgoing.on('error', () =>
      resolve({ status: 0, headers: {}, bytes: Buffer.alloc(0), aborted: true, json: () => ({}) }),
    );
    if (payload === undefined || typeof payload === 'string' || payload instanceof Uint8Array) outgoing.end(payload);
    else payload.pipe(outgoing);
  });
}

/** Everything that a raw socket receives until it is closed. */
export function received(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => resolve(text)).on('close', () => resolve(text));
  });
}

/** Waits for what another turn of the event loop brings about; fails after two seconds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`did not happen: ${what}`);
}

/** A request body that the test feeds by hand. */
export function openBody(): PassThrough {
  return new PassThrough();
}

export function assertProblem(answer: Answer, status: number, code: string): Record<string, unknown> {
  const problem = answer.json();
  assert.equal(problem.code, code, JSON.stringify(problem));
  assert.equal(answer.status, status);
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  assert.equal(problem.type, `urn:nectar:error:${code}`);
  assert.equal(problem.status, status);
  assert.equal(problem.requestId, answer.headers['x-request-id']);
  assert.deepEqual(Object.keys(problem).sort(), ['code', 'data', 'detail', 'requestId', 'status', 'title', 'type']);
  return problem;
}
