import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { engineOption } from '../engine-option.ts';
import { parsePort } from '../option-parsers.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

interface AdoptOptions {
  readonly engine?: string;
  readonly node?: string;
  readonly keyFile?: string;
  readonly port?: number;
  readonly p2pPort?: number;
}

export function registerAdopt(program: Command, terminal: Terminal): void {
  addVerb(program, 'adopt', {
    summary: 'make the home of a node in containers anew, whose folder is lost and whose volumes are there',
    about:
      'Reads the configuration from the volumes, and ports, images and the place of the key file from the containers. Nothing on the engine is changed. The next `up` makes the token of this machine, for which it opens the keys: as a user that may read the key file, or with the passphrase.',
    examples: ['adopt --home /srv/clinic', 'adopt --home /srv/clinic --node 3f9c21aa --key-file /mnt/safe/clinic.key'],
  })
    .addOption(engineOption())
    .addOption(new Option('--node <id>', 'the first digits of its id (default: the only node on the engine)'))
    .addOption(new Option('--key-file <path>', "where the key file lies (default: where the store's container had it)"))
    .addOption(new Option('--port <port>', 'of the API, where no container tells it').argParser(parsePort))
    .addOption(new Option('--p2p-port <port>', 'for peers, where no container tells it').argParser(parsePort))
    .action(action(terminal, adopt));
}

async function adopt({ home, options, terminal, output }: Call<AdoptOptions>): Promise<void> {
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const { adoptNode } = await import('../life/adopt-node.ts');
  const { defaultPorts } = await import('../provision/process/default-ports.ts');
  const usual = defaultPorts(terminal.env);
  const adopted = await showWork(terminal, output, 'reading the volumes', () =>
    adoptNode({
      home,
      engine: openEngine(terminal, options.engine),
      version: VERSION,
      node: options.node,
      keyFile: options.keyFile === undefined ? undefined : resolve(terminal.workingFolder, options.keyFile),
      ports: { gateway: options.port ?? usual.gateway, p2p: options.p2pPort ?? usual.p2p },
    }),
  );
  output.result({ home, ...adopted }, () =>
    [`${home} is the home of node ${adopted.nodeId.slice(0, 8)} again`, 'start it with `nectar-byon up`'].join('\n'),
  );
}
