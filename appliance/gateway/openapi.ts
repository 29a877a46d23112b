import swagger from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import Type, { type TSchema } from 'typebox';
import type { GatewayServer, RouteGuard } from './gateway-server.ts';
import { Problem } from './problem.ts';

const TAGS = [
  'records',
  'audit',
  'node',
  'network',
  'keys',
  'tokens',
  'clients',
  'hardening',
  'backups',
  'custody',
  'rpc',
] as const;
const BEARER = 'bearer';
const CERTIFICATE = 'certificate';
/** Of OpenAPI 3.1; the framework's types know 3.0 only. */
const MUTUAL_TLS = {
  type: 'mutualTLS',
  description: 'The certificate of a client of `nectar-byon clients add`, which has the scopes of that client.',
} as unknown as { readonly type: 'http'; readonly scheme: string };

/** A response that is a problem document, for OpenAPI; the documents themselves are written by problem.ts. */
function problemResponse(description: string): object {
  return { description, content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } } };
}

export interface Operation {
  readonly id: string;
  readonly tag: (typeof TAGS)[number];
  readonly summary: string;
  readonly description?: string;
  readonly guard: RouteGuard;
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly headers?: TSchema;
  readonly body?: TSchema;
  readonly response: Readonly<Record<number, TSchema | object>>;
}

/** A route's `schema` and `config` from one description: what is validated, documented and guarded cannot differ. */
export function describeOperation<O extends Operation>(
  operation: O,
): { schema: Pick<O, SchemaPart & keyof O> & FastifySchema; config: { guard: RouteGuard } } {
  const { id, tag, summary, description, guard, response, ...parts } = operation;
  const { params, querystring, headers, body } = parts;
  const schema = {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(params !== undefined && { params }),
    ...(querystring !== undefined && { querystring }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
    security: guard.scope === 'public' ? [] : [{ [BEARER]: [guard.scope] }, { [CERTIFICATE]: [] }],
    response: {
      ...response,
      '4xx': problemResponse('The request was refused.'),
      '5xx': problemResponse('The node cannot answer now.'),
    },
  };
  return { schema: schema as unknown as Pick<O, SchemaPart & keyof O> & FastifySchema, config: { guard } };
}

type SchemaPart = 'params' | 'querystring' | 'headers' | 'body';

/** Serves `/openapi.json`, generated from the schemas that validate. To be called before the routes are added. */
export async function addOpenApi(server: GatewayServer, version: string): Promise<void> {
  server.addSchema(Problem);
  await server.register(swagger, {
    exposeHeadRoutes: true,
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Nectar BYON',
        description:
          "The owner's API of a Nectar BYON node. Errors are RFC 9457 problems; `code` is one of docs/reference/errors.md.",
        version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS.map((name) => ({ name })),
      components: {
        securitySchemes: {
          [BEARER]: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description:
              'A token of `nectar-byon token create`; the scope of an operation is named in its security requirement, and `admin` implies all.',
          },
          [CERTIFICATE]: MUTUAL_TLS,
        },
      },
    },
  });
  const operation = describeOperation({
    id: 'getOpenApi',
    tag: 'node',
    summary: 'This description',
    guard: { scope: 'public', whileLocked: true },
    response: {
      200: Type.Object({ openapi: Type.String() }, { description: 'OpenAPI 3.1.', additionalProperties: true }),
    },
  });
  // Made once: anybody may ask, and making it takes the time of many answers.
  let text: string | undefined;
  server.get('/openapi.json', operation, async (_, reply) => {
    text ??= JSON.stringify(server.swagger());
    return reply.type('application/json').send(text);
  });
}
