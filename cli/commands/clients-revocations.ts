import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { MAX_LISTS_CHARS, RevocationStandings } from '../../appliance/gateway/client-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { printable, renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

const BASE64_LINE = /.{1,64}/g;

export function registerClientsRevocations(group: Command, terminal: Terminal): void {
  addVerb(group, 'revocations [file...]', {
    summary: 'show, or give, the revocation lists (CRLs) of your authorities',
    about:
      'Each FILE holds lists in PEM, or one in DER; each takes the place of the one of its authority, at once and in connections that are open. From then on the node goes by it: without a list that is current, no certificate of that authority is good. An older list than one that was taken is refused. Give the newest before the last one ends, from a timer.',
    examples: ['clients revocations', 'clients revocations clinic.crl', 'clients revocations --none'],
  })
    .addOption(new Option('--none', 'forget all lists: certificates are good until they end'))
    .action(action(terminal, revocations));
}

async function revocations(call: Call<{ readonly none?: true }>): Promise<void> {
  const { operands: files, options } = call;
  if (options.none === true && files.length > 0)
    throw new NectarError('CLI_USAGE', { problem: 'give files or --none' });
  const lists = options.none === true ? '' : files.length === 0 ? undefined : files.map(readLists).join('');
  await withNode(call, async (client) => {
    const answer = await (lists === undefined
      ? client.json(RevocationStandings, 'GET', '/v1/clients/revocations')
      : client.json(RevocationStandings, 'PUT', '/v1/clients/revocations', { lists }));
    call.output.result(answer, () =>
      renderTable(
        [{ title: 'AUTHORITY' }, { title: 'STATE' }, { title: 'NUMBER' }, { title: 'REVOKED' }, { title: 'ENDS' }],
        answer.revocations.map(({ subject, state, number, revoked, nextUpdate }) => [
          printable(subject.replaceAll('\n', ', ')),
          state,
          number ?? '',
          revoked === undefined ? '' : String(revoked),
          nextUpdate ?? '',
        ]),
      ),
    );
  });
}

/** As PEM: authorities publish DER too. */
function readLists(path: string): string {
  try {
    if (statSync(path).size > MAX_LISTS_CHARS) throw new RangeError(`larger than ${MAX_LISTS_CHARS} bytes`);
    const bytes = readFileSync(path);
    // A SEQUENCE of DER; PEM is text.
    if (bytes[0] !== 0x30) return `${bytes.toString('latin1')}\n`;
    const lines = bytes.toString('base64').match(BASE64_LINE) ?? [];
    return ['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----', ''].join('\n');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_USAGE', { problem: `${path} cannot be read: ${code ?? message}` }, { cause: error });
  }
}
