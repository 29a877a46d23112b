import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import * as audit from '../../../../appliance/gateway/audit-schemas.ts';
import type { BackupNotes } from '../../../../appliance/gateway/backup-notes.ts';
import * as backups from '../../../../appliance/gateway/backup-schemas.ts';
import * as clients from '../../../../appliance/gateway/client-schemas.ts';
import { GatewayConfig } from '../../../../appliance/gateway/config.ts';
import * as custody from '../../../../appliance/gateway/custody-schemas.ts';
import type { GatewayDependencies } from '../../../../appliance/gateway/dependencies.ts';
import type { RouteContext } from '../../../../appliance/gateway/gateway-server.ts';
import type { HardeningNotes } from '../../../../appliance/gateway/hardening-notes.ts';
import * as hardening from '../../../../appliance/gateway/hardening-schemas.ts';
import * as keys from '../../../../appliance/gateway/key-schemas.ts';
import * as node from '../../../../appliance/gateway/node-schemas.ts';
import { Problem } from '../../../../appliance/gateway/problem.ts';
import * as records from '../../../../appliance/gateway/record-schemas.ts';
import * as requests from '../../../../appliance/gateway/request-schemas.ts';
import type { RouteTable } from '../../../../appliance/gateway/route-table.ts';
import * as parts from '../../../../appliance/gateway/schema-parts.ts';
import { SCOPES } from '../../../../appliance/gateway/schema-parts.ts';
import { buildServer } from '../../../../appliance/gateway/server.ts';
import * as tokens from '../../../../appliance/gateway/token-schemas.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly responses: Record<string, { description?: string; content?: Record<string, unknown> }>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { securitySchemes: Record<string, object>; schemas: Record<string, object> };
}

describe('/openapi.json', () => {
  let document: Document;
  let routes: RouteTable;
  before(async () => {
    // The description calls no service: the routes only have to be added.
    const deps = {
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      now: () => 0,
      randomBytes: (length: number) => randomBytes(length),
      store: {},
      keys: {},
      audit: {},
      anchor: {},
      node: {},
      p2p: {},
      rollup: {},
      tokens: { onRevoked: () => undefined },
    } as unknown as GatewayDependencies;
    const setup = {
      config: Value.Default(GatewayConfig, {}) as GatewayConfig,
      version: '1.2.3',
      tls: { authorities: [] },
      clients: {} as RouteContext['clients'],
      hardening: {} as HardeningNotes,
      backups: {} as BackupNotes,
      stopping: new AbortController().signal,
    };
    const built = await buildServer(setup, deps);
    routes = built.routes;
    document = (await built.server.inject({ method: 'GET', url: '/openapi.json' })).json() as Document;
    await built.server.close();
  });

  const described = (): string[] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
  const operations = (): [string, Operation][] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
    );

  it('describes every route that is served, and serves every route that it describes', () => {
    const served = routes.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    assert.deepEqual(described().sort(), served.sort());
    assert.ok(served.length >= 27, String(served.length));
  });

  it('is the API that the line lays down', () => {
    const line = [
      'GET /healthz',
      'GET /.well-known/security.txt',
      'GET /readyz',
      'GET /openapi.json',
      'POST /v1/unlock',
      'POST /v1/records',
      'POST /v1/records/batch',
      'POST /v1/records/present',
      'GET /v1/records/{id}',
      'HEAD /v1/records/{id}',
      'PUT /v1/records/{id}',
      'DELETE /v1/node/log-levels',
      'DELETE /v1/records/{id}',
      'GET /v1/records',
      'GET /v1/records/{id}/car',
      'GET /v1/records/{id}/blob',
      'GET /v1/records/{id}/keyset',
      'OPTIONS /v1/uploads',
      'POST /v1/uploads',
      'HEAD /v1/uploads/{id}',
      'PATCH /v1/uploads/{id}',
      'DELETE /v1/uploads/{id}',
      'GET /v1/audit/checkpoint',
      'GET /v1/audit/entries',
      'GET /v1/audit/export',
      'GET /v1/audit/entries/{n}',
      'GET /v1/audit/proof/{n}',
      'POST /v1/audit/resolve',
      'POST /v1/audit/verify',
      'GET /v1/node',
      'GET /v1/node/log-levels',
      'GET /v1/network/peers',
      'GET /v1/network',
      'GET /v1/metrics',
      'POST /v1/node/copies',
      'POST /v1/network/join',
      'POST /v1/network/leave',
      'POST /v1/network/appeal',
      'GET /v1/auditor/queue',
      'POST /v1/auditor/decisions',
      'GET /v1/keys',
      'POST /v1/keys/rotate',
      'POST /v1/keys/retire',
      'POST /v1/keys/rekey',
      'POST /v1/keys/root',
      'GET /v1/keys/rekey',
      'DELETE /v1/keys/rekey',
      'POST /v1/keys/resolve',
      'POST /v1/keys/kits',
      'POST /v1/keys/providers',
      'PUT /v1/keys/providers/{id}',
      'PUT /v1/node/log-levels',
      'PUT /v1/storage/offer',
      'GET /v1/storage/records/{id}',
      'POST /v1/storage/drill',
      'POST /v1/storage/repair',
      'DELETE /v1/keys/providers/{id}',
      'GET /v1/tokens',
      'POST /v1/tokens',
      'DELETE /v1/tokens/{id}',
      'GET /v1/chain/snapshot',
      'POST /v1/chain/rewind',
      'GET /v1/chain/withdrawals',
      'POST /v1/chain/withdrawals',
      'POST /v1/chain/withdrawals/{id}/claim',
      'GET /v1/chain/stake',
      'PUT /v1/chain/stake',
      'POST /v1/clients',
      'GET /v1/clients/authorities',
      'PUT /v1/clients/authorities',
      'GET /v1/clients/revocations',
      'PUT /v1/clients/revocations',
      'POST /v1/scrub',
      'GET /v1/backups',
      'GET /v1/hardening',
      'GET /v1/hardening/waivers',
      'POST /v1/backups/keys',
      'POST /v1/backups/hold',
      'POST /v1/backups/statements',
      'POST /v1/backups/verifications',
      'POST /v1/backups/prunings',
      'POST /v1/fsck',
      'POST /v1/fsck/entries',
      'POST /v1/hardening/reports',
      'POST /v1/hardening/waivers',
      'PUT /v1/backups/schedule',
      'GET /v1/custody',
      'DELETE /v1/custody',
      'GET /v1/custody/objects',
      'GET /v1/custody/objects/{name}',
      'PUT /v1/custody/objects/{name}',
      'POST /v1/custody/supersessions',
      'POST /v1/custody/prunings',
      'PUT /v1/hardening/schedule',
      'POST /rpc',
      'OPTIONS /rpc',
      'POST /rpc/{token}',
      'OPTIONS /rpc/{token}',
    ];
    assert.deepEqual(described().sort(), line.sort());
  });

  it('names, explains and secures each operation, and says how it fails', () => {
    const ids = new Set<string>();
    for (const [name, operation] of operations()) {
      assert.ok(operation.operationId && operation.summary && operation.tags?.length === 1, name);
      ids.add(operation.operationId);
      const isPublic = /healthz|readyz|openapi|security\.txt|^options/.test(name);
      const scopes = operation.security?.flatMap((requirement) => requirement.bearer ?? []) ?? [];
      assert.equal(scopes.length, isPublic ? 0 : 1, name);
      assert.ok(
        scopes.every((scope) => (SCOPES as readonly string[]).includes(scope)),
        name,
      );
      for (const status of ['4XX', '5XX']) {
        const content = operation.responses[status]?.content?.['application/problem+json'];
        assert.deepEqual(content, { schema: { $ref: '#/components/schemas/Problem' } }, `${name} ${status}`);
      }
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.ok(response.description && response.description !== 'Default Response', `${name} ${status}`);
      }
    }
    assert.equal(ids.size, operations().length);
    assert.ok(document.components.schemas.Problem);
    assert.ok(document.components.securitySchemes.bearer);
    assert.match(document.openapi, /^3\.1\./);
  });

  it('has examples that its own schemas accept', () => {
    let examples = 0;
    const walk = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { examples: list } = schema as { examples?: unknown };
      if (Array.isArray(list)) {
        const validator = Compile(schema as TSchema);
        for (const example of list) {
          examples++;
          assert.ok(validator.Check(example), JSON.stringify(schema));
        }
      }
      for (const child of Object.values(schema)) walk(child);
    };
    for (const schema of [audit, backups, clients, custody, hardening, keys, node, parts, records, requests, tokens]
      .flatMap((module) => Object.values(module))
      .concat(Problem as never))
      walk(schema);
    assert.ok(examples > 50, String(examples));
  });
});
