import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { untilInterrupted } from '../interruption.ts';
import type { BundleManifest } from '../life/bundle/write-bundle.ts';
import { writeOutputFile } from '../output-file.ts';
import { type ReleaseKeyOptions, releaseKeyOptions } from '../release/release-key-options.ts';
import { formatBytes } from '../render/quantities.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

/** Of a clone: what is built lies in its dist/. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** What of a bundle `upgrade --image-set` takes. */
const DIGESTS = 'digests.lock.json';

interface SaveOptions {
  readonly dist: string;
  readonly release?: string;
  readonly force?: boolean;
}

interface LoadOptions extends ReleaseKeyOptions {
  readonly engine?: string;
  readonly to?: string;
  readonly programOnly?: boolean;
  readonly acceptOlder?: boolean;
}

export function registerBundle(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'bundle', 'carry program and images to a site without registry or Internet');
  addVerb(group, 'save <file>', {
    summary: 'write program, images and checksums to one file',
    about:
      'From a clone, after `npm run bundle`, `npm run program` and `npm run images -- build`. The program comes with its Node and its npm packages. A machine that has no program yet begins with `tar -xf nectar-byon.bundle && sh install.sh`.',
    examples: ['bundle save nectar-byon.bundle', 'bundle save nectar-byon.bundle --release dist/release'],
  })
    .addOption(
      new Option('--dist <dir>', 'folder with images/ and program/').default(join(ROOT, 'dist'), "the clone's dist/"),
    )
    .addOption(new Option('--release <dir>', 'folder with the signatures of `npm run release -- sign` (default: none)'))
    .addOption(new Option('--force', 'overwrite the file'))
    .action(action(terminal, save));
  const loading = addVerb(group, 'load <file>', {
    summary: 'verify a bundle, hand its images to the container engine, unpack the program',
    about:
      'Before anything of it is used, the signatures of its release are verified, every part is held against what they name, and its version against this program. The keys are those of this program, or the one that you name. `--unsigned` takes a bundle by its checksums alone, which stand against a damaged copy and not against a forged one. The images that the engine then has are compared with the digests.',
    examples: [
      'bundle load nectar-byon.bundle',
      'bundle load nectar-byon.bundle --release-key release-key.pub',
      'bundle load nectar-byon.bundle --to /opt/nectar-next',
      'bundle load nectar-byon.bundle --to /opt/nectar-next --program-only',
    ],
  })
    .addOption(new Option('--engine <socket>', 'the container engine (default: DOCKER_HOST, else its usual socket)'))
    .addOption(new Option('--to <dir>', 'new folder for the program and the digests (default: they are not kept)'))
    .addOption(
      new Option('--program-only', 'on a machine without a container engine: unpack the program, leave the images'),
    )
    .addOption(new Option('--accept-older', 'take a bundle of an older version than this program'))
    .action(action(terminal, load));
  for (const option of releaseKeyOptions()) loading.addOption(option);
}

async function save({ options, operands, terminal, output }: Call<SaveOptions>): Promise<void> {
  const { collectParts } = await import('../life/bundle/collect-parts.ts');
  const { writeBundle } = await import('../life/bundle/write-bundle.ts');
  const file = resolve(terminal.workingFolder, operands[0] ?? '');
  const release = options.release === undefined ? undefined : resolve(terminal.workingFolder, options.release);
  const parts = await collectParts(resolve(terminal.workingFolder, options.dist), release);
  const manifest: BundleManifest = {
    format: 'nectar-byon-bundle',
    version: 1,
    program: VERSION,
    architecture: architecture(),
    createdAt: new Date(terminal.now()).toISOString(),
  };
  const bytes = await showWork(terminal, output, 'writing the bundle', () =>
    writeOutputFile(
      file,
      untilInterrupted(writeBundle(parts, manifest, terminal.signal), terminal.signal),
      options.force === true,
    ),
  );
  const names = parts.map(({ name }) => name);
  output.result({ file, bytes, program: VERSION, parts: names }, () =>
    [`${file}: ${formatBytes(bytes)}`, ...names.map((name) => `  ${name}`)].join('\n'),
  );
}

async function load(call: Call<LoadOptions>): Promise<void> {
  const { options, operands, terminal } = call;
  const file = resolve(terminal.workingFolder, operands[0] ?? '');
  if (options.to === undefined) {
    if (options.programOnly === true) throw new NectarError('CLI_USAGE', { problem: '--program-only needs --to' });
    const { withScratch } = await import('../provision/staging-folder.ts');
    await withScratch(join(terminal.workingFolder, '.nectar-bundle'), (folder) => loadInto(call, file, folder));
    return;
  }
  const folder = resolve(terminal.workingFolder, options.to);
  await mkdir(folder, { mode: 0o700 });
  try {
    await loadInto(call, file, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function loadInto(call: Call<LoadOptions>, file: string, folder: string): Promise<void> {
  const { options, terminal, output } = call;
  const { unpackBundle } = await import('../life/bundle/unpack-bundle.ts');
  const { requireTrusted } = await import('../life/bundle/trust-bundle.ts');
  const { chooseReleaseKeys } = await import('../release/release-keys.ts');
  const keys = await chooseReleaseKeys(options, terminal);
  const { manifest, digests } = await showWork(terminal, output, 'verifying the bundle', async () => {
    const bundle = await unpackBundle(file, folder, terminal.signal);
    await requireTrusted(bundle, { folder, path: file, keys, acceptOlder: options.acceptOlder === true });
    return bundle;
  });
  const names = [...digests.keys()];
  const archives = names.filter((name) => name.endsWith('.tar'));
  if (options.programOnly !== true) await loadImages(call, folder, archives);
  for (const name of archives) await rm(join(folder, name));
  const command = options.to === undefined ? undefined : await unpackPrograms(call, folder, names);
  const images = options.programOnly === true ? [] : archives;
  output.result(
    {
      program: manifest.program,
      signed: keys !== undefined,
      images,
      ...(options.to !== undefined && { folder }),
      ...(command && { command }),
    },
    () =>
      [
        ...(keys === undefined ? [] : ['the release is signed by a trusted key']),
        ...(images.length > 0 ? [`images of ${manifest.program} are loaded`] : []),
        ...(options.to === undefined ? [] : [`program and digests of ${manifest.program}: ${folder}`]),
        ...(command === undefined ? [] : [`  ${command} --version`]),
      ].join('\n'),
  );
}

async function loadImages(
  { options, terminal, output }: Call<LoadOptions>,
  folder: string,
  archives: readonly string[],
): Promise<void> {
  const { readImageSet } = await import('../life/upgrade/image-set.ts');
  const { requireImages } = await import('../provision/docker/converge.ts');
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const engine = openEngine(terminal, options.engine);
  await showWork(terminal, output, 'loading the images', async () => {
    for (const name of archives) {
      terminal.signal.throwIfAborted();
      await engine.images.load(createReadStream(join(folder, name)));
    }
    const { images } = await readImageSet(join(folder, DIGESTS));
    await requireImages(
      engine,
      Object.values(images).map((image) => ({ image })),
    );
  });
}

/** The command of the program for this machine; undefined where the bundle has none. */
async function unpackPrograms(
  { terminal, output }: Call<LoadOptions>,
  folder: string,
  names: readonly string[],
): Promise<string | undefined> {
  const { isProgramArchive, unpackProgram } = await import('../life/bundle/unpack-program.ts');
  const programs = names.filter(isProgramArchive);
  const own = programs.find((name) => name.endsWith(`-linux-${architecture()}.tar.gz`));
  const command =
    own === undefined
      ? undefined
      : await showWork(terminal, output, 'unpacking the program', () =>
          unpackProgram(join(folder, own), folder, terminal.signal),
        );
  for (const name of programs) await rm(join(folder, name));
  return command;
}

function architecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}
