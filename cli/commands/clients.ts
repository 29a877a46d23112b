import { readFileSync, statSync } from 'node:fs';

import { join } from 'node:path';
import { type Command, Option } from 'commander';
import Type from 'typebox';
import { createClientKey } from '../../appliance/gateway/client-issuer.ts';
import { AddedClient, ClientAuthorityList } from '../../appliance/gateway/client-schemas.ts';
import { SCOPES } from '../../appliance/gateway/schema-parts.ts';
import { type TokenInfo, TokenList } from '../../appliance/gateway/token-schemas.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { collect } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { parseTokenOptions } from '../token-options.ts';
import { registerClientsRevocations } from './clients-revocations.ts';

/** A signing request, a certificate or a bundle of authorities is smaller. */
const MAX_PEM_BYTES = 48 * 1024;

interface AddOptions {
  readonly scope: readonly string[];
  readonly description?: string;
  readonly expires: string;
  readonly out?: string;
  readonly request?: string;
  readonly certificate?: string;
  readonly certificateName?: string;
  readonly withToken?: true;
}

export function registerClients(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'clients', 'let machines in that show a certificate, list and revoke them');
  addVerb(group, 'add <name>', {
    summary: 'let a machine in that shows a certificate',
    about: `By default a key is made here and the node signs a certificate for it; both are written to a folder, for you to bring to the machine. A machine that made its own key gives --request; one that has a certificate already, --certificate (known by its key); of an authority that you trust with clients authorities, --certificate-name (known by a name in it, also after it is renewed). The certificate is enough; with --with-token a token is needed beside it. Scopes: ${SCOPES.join(' ')}.`,
    examples: [
      'clients add pacs --scope records:write --out pacs-client',
      'clients add ehr --scope records:read --request ehr.csr --out ehr-client',
      'clients add ris --scope records:read --certificate-name dns:ris.clinic.example',
    ],
  })
    .addOption(
      new Option('-s, --scope <scope>', 'what it may do; repeat for more').argParser(collect).default([], 'none'),
    )
    .addOption(new Option('--description <text>', 'a description for the list'))
    .addOption(new Option('--expires <duration>', 'how long it is let in: 365d, 12h').default('365d'))
    .addOption(new Option('-o, --out <folder>', 'where certificate, key and token are written (default: NAME-client)'))
    .addOption(
      new Option('--request <file>', 'a PKCS#10 signing request in PEM').conflicts(['certificate', 'certificateName']),
    )
    .addOption(new Option('--certificate <file>', 'its certificate in PEM, of any issuer').conflicts('certificateName'))
    .addOption(new Option('--certificate-name <name>', 'dns:NAME or uri:URI in certificates of an authority of yours'))
    .addOption(new Option('--with-token', 'a token is needed beside the certificate'))
    .action(action(terminal, add));
  addVerb(group, 'list', { summary: 'list the machines that show a certificate', examples: ['clients list'] }).action(
    action(terminal, list),
  );
  addVerb(group, 'revoke <id>', {
    summary: 'let a machine in no longer, from now on and in connections that are open',
    examples: ['clients revoke 9f86d081884c7d659a2feaa0c55ad015'],
  }).action(action(terminal, revoke));
  addVerb(group, 'authorities [file]', {
    summary: 'show, or replace, the authorities whose certificates clients may show',
    about:
      'FILE holds the certificates of your authorities in PEM; they replace those given before. A name in their certificates lets nobody in until a client is added with it.',
    examples: ['clients authorities', 'clients authorities clinic-ca.pem', 'clients authorities --none'],
  })
    .addOption(new Option('--none', 'trust no authority but the node itself'))
    .action(action(terminal, authorities));
  registerClientsRevocations(group, terminal);
}

async function add(call: Call<AddOptions>): Promise<void> {
  const { options, operands, home, output } = call;
  const [subject = ''] = operands;
  const { scope, expiresInSeconds } = parseTokenOptions(options);
  const made = options.request ?? options.certificate ?? options.certificateName;
  const own = made === undefined ? await createClientKey(subject) : undefined;
  const signingRequest = own?.request ?? (options.request === undefined ? undefined : readPem(options.request));
  const body = {
    subject,
    scope,
    expiresInSeconds,
    withToken: options.withToken === true,
    ...(options.description !== undefined && { name: options.description }),
    ...(signingRequest !== undefined && { signingRequest }),
    ...(options.certificate !== undefined && { certificate: readPem(options.certificate) }),
    ...(options.certificateName !== undefined && { certificateName: options.certificateName }),
  };
  const folder = options.out ?? `${subject}-client`;
  await withNode(call, async (client) => {
    const added = await client.json(AddedClient, 'POST', '/v1/clients', body);
    const { issued, issuer: _issuer, token, ...facts } = added;
    const files = {
      ...(own !== undefined && { [`${subject}.key`]: own.key }),
      ...(issued !== undefined && { [`${subject}.crt`]: issued }),
      ...(token !== undefined && { [`${subject}.token`]: `${token}\n` }),
      ...((issued ?? token) !== undefined && { 'node-ca.crt': readPem(join(home, 'tls', 'ca.crt')) }),
    };
    const written = await writeFiles(folder, files);
    output.result({ ...facts, files: written }, () =>
      describe(added, { folder, subject, gateway: client.gateway, own: own !== undefined }),
    );
  });
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  const paths: string[] = [];
  if (Object.keys(files).length > 0) await makeFolders(folder, 0o700);
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    const bytes = Buffer.from(text);
    await writeOutputFile(
      path,
      (async function* () {
        yield bytes;
      })(),
      name === 'node-ca.crt',
    );
    paths.push(path);
  }
  return paths;
}

function describe(
  { id, subject, expiresAt, certificate, issued, token }: AddedClient,
  at: { readonly folder: string; readonly subject: string; readonly gateway: string; readonly own: boolean },
): string {
  const known =
    certificate?.key === undefined ? `the name ${certificate?.name} in its certificate` : 'the key of its certificate';
  const lines = [`client ${id} (${printable(subject)}) is let in by ${known} until ${expiresAt.slice(0, 10)}`];
  if (issued !== undefined || token !== undefined)
    lines.push(`its files are in ${at.folder}; bring them to the machine and remove them here`);
  if (issued !== undefined) {
    const [cert, ca] = [join(at.folder, `${at.subject}.crt`), join(at.folder, 'node-ca.crt')];
    const key = at.own ? join(at.folder, `${at.subject}.key`) : 'ITS-KEY';
    const bearer =
      token === undefined ? '' : ` -H "Authorization: Bearer $(cat ${join(at.folder, `${at.subject}.token`)})"`;
    lines.push(`try it: curl --cacert ${ca} --cert ${cert} --key ${key}${bearer} ${at.gateway}/v1/records`);
  }
  return lines.join('\n');
}

async function list(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const { tokens } = await client.json(TokenList, 'GET', '/v1/tokens');
    const clients = tokens.filter(({ certificate }) => certificate !== undefined);
    const now = call.terminal.now();
    call.output.result({ clients }, () =>
      renderTable(
        [
          { title: 'CLIENT' },
          { title: 'SUBJECT' },
          { title: 'SCOPE' },
          { title: 'ENDS' },
          { title: 'STATE' },
          { title: 'KNOWN BY' },
        ],
        clients.map((one) => [
          one.id,
          printable(one.subject),
          one.scope.join(','),
          one.expiresAt.slice(0, 10),
          one.revokedAt !== undefined ? 'revoked' : Date.parse(one.expiresAt) < now ? 'expired' : 'good',
          knownBy(one),
        ]),
      ),
    );
  });
}

function knownBy({ certificate }: TokenInfo): string {
  const what =
    certificate?.key === undefined ? printable(certificate?.name ?? '') : `key ${certificate.key.slice(0, 16)}…`;
  return certificate?.alone === true ? what : `${what} and a token`;
}

async function revoke(call: Call<object>): Promise<void> {
  const [id = ''] = call.operands;
  await withNode(call, async (client) => {
    await client.json(Type.Unknown(), 'DELETE', `/v1/tokens/${encodeURIComponent(id)}`);
    call.output.result({ id, revoked: true }, `client ${id} is revoked`);
  });
}

async function authorities(call: Call<{ readonly none?: true }>): Promise<void> {
  const [file] = call.operands;
  const { none } = call.options;
  if (none === true && file !== undefined) throw new NectarError('CLI_USAGE', { problem: 'give a file or --none' });
  await withNode(call, async (client) => {
    const certificates = none === true ? '' : file === undefined ? undefined : readPem(file);
    const answer = await (certificates === undefined
      ? client.json(ClientAuthorityList, 'GET', '/v1/clients/authorities')
      : client.json(ClientAuthorityList, 'PUT', '/v1/clients/authorities', { certificates }));
    call.output.result(answer, () =>
      renderTable(
        [{ title: 'AUTHORITY' }, { title: 'WHOSE' }, { title: 'ENDS' }, { title: 'SHA-256' }],
        answer.authorities.map((one) => [
          printable(one.subject.replaceAll('\n', ', ')),
          one.own ? 'the node' : 'yours',
          one.expiresAt.slice(0, 10),
          one.fingerprint,
        ]),
      ),
    );
  });
}

function readPem(path: string): string {
  try {
    if (statSync(path).size > MAX_PEM_BYTES) throw new RangeError(`larger than ${MAX_PEM_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_USAGE', { problem: `${path} cannot be read: ${code ?? message}` }, { cause: error });
  }
}
