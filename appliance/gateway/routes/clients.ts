import { type KeyObject, X509Certificate } from 'node:crypto';
import { NectarError } from '../../../protocol/errors.ts';
import { keyHash, keyHashOf } from '../client-certificate.ts';
import { issueClientCertificate, parseClientRequest, requireStrong } from '../client-issuer.ts';
import {
  AddedClient,
  ClientAuthorityBundle,
  ClientAuthorityList,
  ClientRequest,
  MAX_LISTS_CHARS,
  RevocationBundle,
  RevocationStandings,
} from '../client-schemas.ts';
import { evidenced, evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { createdFacts } from '../token-facts.ts';
import type { CertificateBinding, TokenInfo } from '../token-schemas.ts';

const guard = { scope: 'admin' } as const;

const add = describeOperation({
  id: 'addClient',
  tag: 'clients',
  summary: 'Add a machine that shows a certificate; it is listed and revoked among the tokens',
  guard,
  body: ClientRequest,
  response: { 201: AddedClient },
});
const authorities = describeOperation({
  id: 'listClientAuthorities',
  tag: 'clients',
  summary: 'Whose certificates clients may show',
  guard,
  response: { 200: ClientAuthorityList },
});
const replace = describeOperation({
  id: 'replaceClientAuthorities',
  tag: 'clients',
  summary: 'Replace the certificate authorities of the site',
  guard,
  body: ClientAuthorityBundle,
  response: { 200: ClientAuthorityList },
});

const revocations = describeOperation({
  id: 'listClientRevocations',
  tag: 'clients',
  summary: "How the revocation lists of the site's authorities are",
  guard,
  response: { 200: RevocationStandings },
});
const revoke = describeOperation({
  id: 'replaceClientRevocations',
  tag: 'clients',
  summary: 'Take revocation lists of authorities of the site, in force at once',
  guard,
  body: RevocationBundle,
  response: { 200: RevocationStandings },
});
/** JSON around the lists, and their line ends as two characters. */
const MAX_REVOCATION_BYTES = MAX_LISTS_CHARS + 64 * 1024;

export function addClientRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, clients } = context;
  const { tokens } = deps;

  server.post('/v1/clients', add, async (request, reply) => {
    const wanted = request.body as ClientRequest;
    const event = { type: 'token.create', context: request.access, detail: { subject: wanted.subject } } as const;
    const { result } = await evidenced(context, event, {
      async run(note) {
        const { binding, publicKey } = await bindingOf(wanted);
        const made = wanted.withToken ? await tokens.issue(wanted, binding) : await tokens.enlist(wanted, binding);
        note(createdFacts(made, tokens.generation()));
        return { made, publicKey };
      },
      undo: async ({ made }) => {
        await tokens.revoke(made.id);
      },
    });
    return reply.code(201).send(await describeAdded(result, context));
  });

  server.get('/v1/clients/authorities', authorities, async () => describeAuthorities(context));

  server.put('/v1/clients/authorities', replace, async (request) => {
    const { certificates } = request.body as ClientAuthorityBundle;
    await evidenced(
      context,
      { type: 'client.authorities', context: request.access },
      {
        async run(note) {
          await clients.authorities.replaceSite(certificates);
          const site = clients.authorities.site();
          note({
            count: site.length,
            sha256: site.map(({ fingerprint256 }) => digits(fingerprint256)).join(' '),
          });
        },
      },
    );
    return describeAuthorities(context);
  });

  server.get('/v1/clients/revocations', revocations, async () => ({ revocations: clients.revocations.standing() }));

  server.put('/v1/clients/revocations', { ...revoke, bodyLimit: MAX_REVOCATION_BYTES }, async (request) => {
    const { lists } = request.body as RevocationBundle;
    const event = { type: 'client.revocations', context: request.access } as const;
    if (lists.trim() === '') {
      // The leaf first: what the log does not say to be forgotten is held against the files.
      const detail = { count: 0, numbers: '', floors: '' };
      await evidencedFirst(context, { ...event, outcome: 'success', detail }, () => clients.revocations.replace(''));
      return { revocations: clients.revocations.standing() };
    }
    await evidenced(context, event, {
      async run(note) {
        await clients.revocations.replace(lists);
        const standing = clients.revocations.standing();
        note({
          count: standing.length,
          numbers: standing.map(({ fingerprint, number }) => `${digits(fingerprint)}:${number ?? 'none'}`).join(' '),
          floors: clients.revocations.floors(),
        });
      },
    });
    return { revocations: clients.revocations.standing() };
  });
}

/** Enough of a fingerprint to tell authorities apart. */
function digits(fingerprint256: string): string {
  return fingerprint256.replaceAll(':', '').slice(0, 16);
}

async function bindingOf(
  wanted: ClientRequest,
): Promise<{ readonly binding: CertificateBinding; readonly publicKey: KeyObject | undefined }> {
  const { signingRequest, certificate, certificateName, withToken } = wanted;
  if ([signingRequest, certificate, certificateName].filter((given) => given !== undefined).length !== 1)
    throw new NectarError('GATEWAY_CLIENT_REQUEST_INVALID', {
      reason: 'exactly one of a signing request, a certificate and a name in certificates is needed',
    });
  const alone = !withToken;
  if (signingRequest !== undefined) {
    const { publicKey } = await parseClientRequest(signingRequest);
    return { binding: { key: keyHashOf(publicKey), alone }, publicKey };
  }
  if (certificate !== undefined)
    return { binding: { key: keyHash(parseCertificate(certificate)), alone }, publicKey: undefined };
  const name = certificateName?.startsWith('dns:') ? certificateName.toLowerCase() : certificateName;
  return { binding: { ...(name === undefined ? {} : { name }), alone }, publicKey: undefined };
}

function parseCertificate(pem: string): X509Certificate {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(pem);
    requireStrong(parsed.publicKey);
  } catch (cause) {
    if (cause instanceof NectarError) throw cause;
    throw new NectarError('GATEWAY_CLIENT_REQUEST_INVALID', { reason: 'the certificate is not one in PEM' }, { cause });
  }
  return parsed;
}

async function describeAdded(
  { made, publicKey }: { readonly made: TokenInfo; readonly publicKey: KeyObject | undefined },
  { deps, clients }: RouteContext,
): Promise<AddedClient> {
  if (publicKey === undefined) return made;
  const own = clients.authorities.own();
  const { subject, id, expiresAt } = made;
  const issued = await issueClientCertificate(own, { publicKey, subject, id, expiresAt, now: deps.now() });
  return { ...made, issued, issuer: own.certificate };
}

function describeAuthorities({ config, clients }: RouteContext): ClientAuthorityList {
  const own = new X509Certificate(clients.authorities.own().certificate);
  const all = [own, ...clients.authorities.site()];
  return {
    required: config.clientCertificates === 'required',
    authorities: all.map((one) => ({
      subject: one.subject,
      fingerprint: one.fingerprint256,
      expiresAt: one.validToDate.toISOString(),
      own: one === own,
    })),
  };
}
