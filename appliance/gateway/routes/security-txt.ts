import Type from 'typebox';
import { NectarError } from '../../../protocol/errors.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';

const securityTxt = describeOperation({
  id: 'getSecurityTxt',
  tag: 'node',
  summary: 'Where to report a vulnerability of this node (RFC 9116)',
  description:
    'As `gateway.securityContacts` and `gateway.securityExpires` say; absent where no contact is named, or the date has passed.',
  guard: { scope: 'public', whileLocked: true },
  response: {
    200: { description: 'Contact and Expires.', content: { 'text/plain': { schema: Type.String() } } },
  },
});

export function addSecurityTxtRoute(server: GatewayServer, { config, deps }: RouteContext): void {
  server.get('/.well-known/security.txt', securityTxt, async (_, reply) => {
    const text = securityText(config, deps.now());
    if (text === undefined) throw new NectarError('GATEWAY_ROUTE_ABSENT', {});
    return reply.type('text/plain; charset=utf-8').send(text);
  });
}

/**
 * RFC 9116: Contact (2.5.3) in the order of preference, Expires (2.5.5) once. Undefined where nothing can be said: nobody may rely on a
 * file after its day, so it is not served then.
 */
export function securityText(
  config: { readonly securityContacts: readonly string[]; readonly securityExpires: string },
  now: number,
): string | undefined {
  const { securityContacts: contacts, securityExpires: day } = config;
  const end = Date.parse(`${day}T00:00:00Z`);
  if (contacts.length === 0 || Number.isNaN(end) || end <= now) return undefined;
  return [...contacts.map((contact) => `Contact: ${contact}`), `Expires: ${day}T00:00:00Z`, ''].join('\r\n');
}
