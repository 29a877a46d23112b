import { type Command, Option } from 'commander';
import Type from 'typebox';
import { SCOPES } from '../../appliance/gateway/schema-parts.ts';
import { IssuedToken, TokenList } from '../../appliance/gateway/token-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { collect } from '../option-parsers.ts';
import { writeOutputFile } from '../output-file.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { parseTokenOptions } from '../token-options.ts';

interface CreateOptions {
  readonly scope: readonly string[];
  readonly subject?: string;
  readonly name?: string;
  readonly expires: string;
  readonly output?: string;
  readonly url?: boolean;
}

export function registerToken(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'token', 'create, list and revoke access tokens of the HTTP API');
  addVerb(group, 'create [subject]', {
    summary: 'create an access token for a program or a person',
    about: `Scopes: ${SCOPES.join(' ')} (admin implies the others). The token is shown once and stored nowhere.`,
    examples: [
      'token create pacs-archive --scope records:write --scope records:read',
      'token create grafana --scope node:read --expires 365d',
      'token create dapp --scope rpc -o dapp.token',
      'token create metamask --url --name "MetaMask of the front desk"',
    ],
  })
    .addOption(
      new Option('-s, --scope <scope>', 'what it may do; repeat for more').argParser(collect).default([], 'none'),
    )
    .addOption(new Option('--subject <subject>', 'whom it speaks for; the same as the argument'))
    .addOption(new Option('--name <name>', 'a description for the list'))
    .addOption(new Option('--expires <duration>', 'how long it is good for: 90d, 12h, 30m').default('30d'))
    .addOption(
      new Option(
        '--url',
        'print a URL of /rpc with the token in its path, for a wallet, which can send no header; scope rpc',
      ),
    )
    .addOption(new Option('-o, --output <file>', 'write the token to a new file that only you can read'))
    .action(action(terminal, create));
  addVerb(group, 'list', {
    summary: 'list the tokens, without the tokens themselves',
    examples: ['token list'],
  }).action(action(terminal, list));
  addVerb(group, 'revoke <id>', {
    summary: 'end a token now',
    examples: ['token revoke 9f86d081884c7d659a2feaa0c55ad015'],
  }).action(action(terminal, revoke));
}

async function create(call: Call<CreateOptions>): Promise<void> {
  const { options, operands, output } = call;
  const subject = operands[0] ?? options.subject;
  if (subject === undefined) throw new NectarError('CLI_USAGE', { problem: 'name whom the token speaks for' });
  const inPath = options.url === true;
  if (inPath && options.scope.some((name) => name !== 'rpc'))
    throw new NectarError('CLI_USAGE', { problem: 'a token in a URL opens rpc alone' });
  const scopes = inPath ? ['rpc'] : options.scope;
  const { scope, expiresInSeconds } = parseTokenOptions({ ...options, scope: scopes });
  await withNode(call, async (client) => {
    const issued = await client.json(IssuedToken, 'POST', '/v1/tokens', {
      subject,
      scope,
      ...(inPath && { inPath }),
      expiresInSeconds,
      ...(options.name !== undefined && { name: options.name }),
    });
    const shown = inPath ? `${client.gateway}/rpc/${issued.token}` : issued.token;
    if (options.output === undefined) {
      output.note(`token ${issued.id} for ${printable(issued.subject)}, good until ${issued.expiresAt}:`);
      output.result(inPath ? { ...issued, url: shown } : issued, shown);
      return;
    }
    await writeOutputFile(
      options.output,
      (async function* () {
        yield Buffer.from(`${shown}\n`);
      })(),
      false,
    );
    const { token: _written, ...facts } = issued;
    output.result({ ...facts, output: options.output }, `token ${issued.id} written to ${options.output}`);
  });
}

async function list(call: Call<object>): Promise<void> {
  await withNode(call, async (client) => {
    const answer = await client.json(TokenList, 'GET', '/v1/tokens');
    const now = call.terminal.now();
    call.output.result(answer, () =>
      renderTable(
        [
          { title: 'TOKEN' },
          { title: 'SUBJECT' },
          { title: 'SCOPE' },
          { title: 'ENDS' },
          { title: 'STATE' },
          { title: 'NAME' },
        ],
        answer.tokens.map((token) => [
          token.id,
          printable(token.subject),
          token.scope.join(','),
          token.expiresAt.slice(0, 10),
          token.revokedAt !== undefined ? 'revoked' : Date.parse(token.expiresAt) < now ? 'expired' : 'good',
          printable(token.name ?? (token.certificate === undefined ? '' : 'shows a certificate')),
        ]),
      ),
    );
  });
}

async function revoke(call: Call<object>): Promise<void> {
  const [id = ''] = call.operands;
  await withNode(call, async (client) => {
    await client.json(Type.Unknown(), 'DELETE', `/v1/tokens/${encodeURIComponent(id)}`);
    call.output.result({ id, revoked: true }, `token ${id} revoked`);
  });
}
