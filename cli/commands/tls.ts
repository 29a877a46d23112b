import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { findGateway } from '../node-client.ts';
import { collect } from '../option-parsers.ts';
import { hasTarget } from '../provision/docker/target-path.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { renderFacts } from '../render/table.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { passphraseFileOption } from './unlock.ts';

/** A running gateway looks at its files every five seconds. */
const TAKEN_MS = 30_000;
const POLL_MS = 250;

interface RenewOptions {
  readonly name: readonly string[];
  readonly authority?: boolean;
  readonly passphraseFile?: string;
  readonly emit?: string;
  readonly identity?: string;
  readonly keyFile?: string;
}

interface ReplaceOptions {
  readonly certificate?: string;
  readonly key?: string;
  readonly none?: boolean;
}

export function registerTls(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'tls', 'the certificates of the HTTPS API');
  addVerb(group, 'show', { summary: 'show for which names and how long each is good', examples: ['tls show'] }).action(
    action(terminal, show),
  );
  addVerb(group, 'renew', {
    summary: "issue the node's own certificate anew, at once",
    about:
      'By itself a node does so in the last thirty days. A running node takes it into use within seconds, without a restart. --authority makes the certificate of its CA anew as well, with the same key: for names that the CA may not certify today, or when the clock was wrong at init. Clients then need the new HOME/tls/ca.crt. Of a node in a cluster whose Secrets `init --target kubernetes` made, --emit writes new ones, of the API and of the roles between one another, into the folder of `init --emit`, and says what to apply: the cluster is not asked. The sealed identities with the key of the CA are taken from there (secrets/11-identity.yaml) or from --identity, the key that opens them from where init wrote it, from the folder, or from --key-file.',
    examples: [
      'tls renew',
      'tls renew --name clinic.example --authority',
      'tls renew --emit ./clinic --key-file /mnt/safe/clinic.key',
    ],
  })
    .addOption(
      new Option('--name <name>', 'further name or address; repeat for more').argParser(collect).default([], 'none'),
    )
    .addOption(new Option('--authority', "the certificate of the node's CA too"))
    .addOption(passphraseFileOption())
    .addOption(
      new Option('--emit <folder>', 'of a node in a cluster: write Secrets into this folder, and touch nothing'),
    )
    .addOption(
      new Option('--identity <file>', 'with --emit: the Secret with the sealed identities, as kubectl prints it'),
    )
    .addOption(new Option('--key-file <file>', 'with --emit: the key that opens the node'))
    .action(action(terminal, renew));
  addVerb(group, 'replace', {
    summary: 'show a certificate of your site to clients that ask by its names',
    about:
      "Checks names, key, chain, strength and dates before anything changes; a running node takes it into use within seconds. Who asks by an address or another name sees the node's own certificate as before, the command line of this machine among them. Renewing it is your authority's business: `doctor` says when it ends.",
    examples: [
      'tls replace --certificate clinic.example.pem --key clinic.example.key',
      'tls replace --none                          # back to the certificate of the node alone',
    ],
  })
    .addOption(new Option('--certificate <file>', 'PEM: the certificate, then those between it and the root'))
    .addOption(new Option('--key <file>', 'PEM: the key of the certificate, without a passphrase'))
    .addOption(new Option('--none', 'take it away').conflicts(['certificate', 'key']))
    .action(action(terminal, replace));
}

/** @throws NectarError CLI_USAGE */
export function requireCluster(home: string): void {
  requireHome(home);
  if (findClusterTarget(home) === undefined)
    throw new NectarError('CLI_USAGE', { problem: '--emit is for a node in Kubernetes: of any other leave it out' });
}

/** The files lie in the home of a process; in containers in a volume, in a cluster in a Secret. */
function requireProcess(home: string): void {
  requireHome(home);
  if (hasTarget(home))
    throw new NectarError('CLI_USAGE', {
      problem:
        'this is for a node that runs as a process: in containers `up` renews the certificate; in a cluster `tls renew --emit FOLDER` does, or your own belongs into the Secret of the gateway',
    });
}

interface ShownCertificate {
  readonly of: 'authority' | 'own' | 'site';
  readonly names: readonly string[];
  readonly from: Date;
  readonly to: Date;
  readonly inForce: boolean;
  readonly fingerprint: string;
}

async function show({ home, terminal, output }: Call<object>): Promise<void> {
  requireProcess(home);
  const { certificateNames } = await import('../../appliance/gateway/tls.ts');
  const at = (name: string): string => join(home, 'tls', name);
  const shown: ShownCertificate[] = [];
  for (const [of, name] of [
    ['authority', 'ca.crt'],
    ['own', 'server.crt'],
    ['site', 'site.crt'],
  ] as const) {
    if (!existsSync(at(name))) continue;
    const pem = await readFile(at(name), 'utf8');
    const { validFromDate: from, validToDate: to, fingerprint256 } = new X509Certificate(pem);
    const inForce = from.getTime() <= terminal.now() && terminal.now() < to.getTime();
    shown.push({ of, names: certificateNames(pem), from, to, inForce, fingerprint: fingerprint256 });
  }
  output.result({ certificates: shown }, () =>
    shown
      .map(({ of, names, from, to, inForce }) => {
        const dates = `${from.toISOString()} to ${to.toISOString()}`;
        return renderFacts([
          [of, inForce ? 'in force' : output.style('red', 'NOT IN FORCE')],
          ['dates', dates],
          ...(names.length === 0 ? [] : [['names', names.join(', ')] as [string, string]]),
        ]);
      })
      .join('\n\n'),
  );
}

async function renew(call: Call<RenewOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  if (options.emit !== undefined) return emit(call, options.emit);
  if (options.identity !== undefined || options.keyFile !== undefined)
    throw new NectarError('CLI_USAGE', { problem: '--identity and --key-file go with --emit' });
  requireProcess(home);
  const { renewCertificate } = await import('../life/renew-certificate.ts');
  const { unlockKeys } = await import('../life/unlock-keys.ts');
  const keys = await unlockKeys({ home, terminal, passphraseFile: options.passphraseFile });
  try {
    await renewCertificate({
      ...{ home, keys, now: terminal.now() },
      asked: options.name,
      authority: options.authority === true,
    });
  } finally {
    await keys.stop();
  }
  const inUse = await waitUntilShown({ home, terminal, output }, { path: join(home, 'tls', 'server.crt') });
  output.result({ home, inUse, authority: options.authority === true }, () =>
    [
      `renewed; ${describeUse(inUse)}`,
      ...(options.authority === true ? [`give your clients ${join(home, 'tls', 'ca.crt')}: it is another one`] : []),
    ].join('\n'),
  );
}

async function emit({ home, options, terminal, output }: Call<RenewOptions>, folder: string): Promise<void> {
  requireCluster(home);
  const { renewSecrets } = await import('../life/renew-secrets.ts');
  const { renderRenewedSecrets } = await import('../render/renewed-secrets.ts');
  const at = (path: string | undefined): string | undefined => path && resolve(terminal.workingFolder, path);
  const { name: asked, authority = false, passphraseFile } = options;
  const renewed = await renewSecrets({
    ...{ home, terminal, asked, authority, passphraseFile },
    folder: resolve(terminal.workingFolder, folder),
    identityFile: at(options.identity),
    keyFile: at(options.keyFile),
  });
  output.result(renewed, () => renderRenewedSecrets(renewed));
}

async function replace({ home, options, terminal, output }: Call<ReplaceOptions>): Promise<void> {
  requireProcess(home);
  const { checkSitePair, sitePaths } = await import('../../appliance/gateway/site-certificate.ts');
  const { replaceFile } = await import('../../appliance/durable-file.ts');
  const own = join(home, 'tls', 'server.crt');
  const paths = sitePaths(own);
  if (options.none === true) {
    await rm(paths.cert, { force: true });
    await rm(paths.key, { force: true });
    output.result({ home, removed: true }, "removed: within seconds everybody sees the node's own certificate");
    return;
  }
  if (options.certificate === undefined || options.key === undefined)
    throw new NectarError('CLI_USAGE', { problem: 'name both: --certificate FILE and --key FILE' });
  const read = async (path: string): Promise<Buffer> => {
    const file = resolve(terminal.workingFolder, path);
    return readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw new NectarError('CLI_FILE_UNREADABLE', { path: file, reason: cause.code ?? cause.message }, { cause });
    });
  };
  const pair = { cert: await read(options.certificate), key: await read(options.key) };
  try {
    const { names, validTo } = checkSitePair(pair, terminal.now());
    // Key first: with a crash in between they do not match, and neither is shown.
    await replaceFile(paths.key, pair.key, 0o600);
    await replaceFile(paths.cert, pair.cert, 0o644);
    const inUse = await waitUntilShown({ home, terminal, output }, { path: paths.cert, servername: names[0] });
    const until = new Date(validTo).toISOString();
    output.result({ home, names, until, inUse }, `for ${names.join(', ')}, until ${until}; ${describeUse(inUse)}`);
  } finally {
    pair.key.fill(0);
  }
}

function describeUse(inUse: boolean | null): string {
  if (inUse === null) return 'it is in use from the next start on';
  return inUse ? 'it is in use' : 'the node has not taken it into use yet: `nectar-byon logs`';
}

/** Whether the running node shows the certificate of a file; null: it does not run. */
async function waitUntilShown(
  { home, terminal, output }: Pick<Call<object>, 'home' | 'terminal' | 'output'>,
  { path, servername }: { readonly path: string; readonly servername?: string | undefined },
): Promise<boolean | null> {
  const gateway = await findGateway(home);
  if (gateway === undefined) return null;
  const { servedCertificate } = await import('../life/examine-containers.ts');
  const { fingerprint256 } = new X509Certificate(await readFile(path));
  return showWork(terminal, output, 'waiting until it is in use', async () => {
    for (let waited = 0; waited < TAKEN_MS; waited += POLL_MS) {
      const served = await servedCertificate(home, gateway, servername?.replace(/^\*\./, 'any.'));
      if (served !== undefined && new X509Certificate(served).fingerprint256 === fingerprint256) return true;
      await sleep(POLL_MS, undefined, { signal: terminal.signal });
    }
    return false;
  });
}
