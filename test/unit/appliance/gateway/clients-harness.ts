import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { createClientKey } from '../../../../appliance/gateway/client-issuer.ts';
import type { AddedClient } from '../../../../appliance/gateway/client-schemas.ts';
import type { Scope } from '../../../../appliance/gateway/schema-parts.ts';
import { type Harness, startHarness } from './harness.ts';

export const NOW = Date.now();

export interface Shown {
  readonly cert?: string;
  readonly key?: string;
}

interface Reply {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly code: string | undefined;
  readonly body: Record<string, unknown>;
}

export interface Caller {
  ask(token?: string, path?: string): Promise<Reply>;
  close(): void;
}

/** A client with one connection, which it keeps; a session that it got is taken up again by the next one. */
export function caller(h: Harness, shown: Shown, agent = agentOf(h, shown)): Caller {
  return {
    ask: (token, path = '/v1/records') =>
      new Promise((resolve, reject) => {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        request({ agent, host: '127.0.0.1', port: h.port, servername: 'localhost', path, headers }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => {
              const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
              const { statusCode: status = 0, headers: answered } = incoming;
              resolve({ status, challenge: answered['www-authenticate'], code: body.code as string | undefined, body });
            });
        })
          .on('error', reject)
          .end();
      }),
    close: () => agent.destroy(),
  };
}

export function agentOf(h: Harness, shown: Shown, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Agent {
  return new Agent({ ca: h.certificates.caCertificate, keepAlive: true, maxSockets: 1, maxVersion, ...shown });
}

/** A gateway with clients that show certificates, and its administrator. */
export interface Clients {
  readonly h: Harness;
  admin: string;
  as(shown: Shown): Caller;
  add(wanted: object, scope?: Scope[]): Promise<AddedClient>;
  /** One whose key the test made, and whose certificate the node signed. */
  addIssued(wanted?: object): Promise<{ added: AddedClient; shown: Shown }>;
  stop(): Promise<void>;
}

export async function startClients(mode: 'off' | 'optional' | 'required' = 'optional'): Promise<Clients> {
  const h = await startHarness({ clientCertificates: mode, maxDenialsPerMinute: 1000 });
  h.node.now = NOW;
  const open: Caller[] = [];
  const clients: Clients = {
    h,
    admin: await h.token('admin'),
    as(shown) {
      const made = caller(h, shown);
      open.push(made);
      return made;
    },
    async add(wanted, scope = ['records:read']) {
      const json = { subject: 'pacs', scope, ...wanted };
      const answer = await h.call('POST', '/v1/clients', { token: clients.admin, json });
      assert.equal(answer.status, 201, answer.bytes.toString());
      return answer.json() as unknown as AddedClient;
    },
    async addIssued(wanted = {}) {
      const { key, request: signingRequest } = await createClientKey('pacs');
      const added = await clients.add({ signingRequest, ...wanted });
      return { added, shown: { key, cert: added.issued ?? '' } };
    },
    async stop() {
      for (const one of open) one.close();
      await h.stop();
    },
  };
  return clients;
}
