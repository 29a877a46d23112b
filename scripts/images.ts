/**
 * The container images, assembled without a registry and without a container engine.
 *
 *   images.ts build [--role R]... [--engine SOCKET] [--no-load]   into dist/, and into the engine
 *   images.ts verify [--against FILE]                             two builds are one; the base, and a release, are the locked ones
 *   images.ts sizes [write]                                       prints the sizes, or writes them into docs/images.md
 *   images.ts sbom [--role R]...                                  dist/sbom/ROLE.cdx.json
 *   images.ts seccomp [check]                                     images/seccomp/*.json from their source
 *   images.ts lock                                                takes the newest Debian packages for the base
 *
 * --arch amd64|arm64 makes those of another processor than this machine's, into dist/ARCH/ and into no engine.
 * SOURCE_DATE_EPOCH (seconds) dates a release's images. Exit codes: 0 ok, 2 usage, 3 check failed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ARCHITECTURES, type Architecture, hostArchitecture, readBaseInputs } from '../images/base-lock.ts';
import { writeBundle, writeFile } from '../images/bundle-folder.ts';
import { type DigestLock, differences, digestLockOf, layerSizes } from '../images/digest-lock.ts';
import { engineSocket, loadArchive } from '../images/load.ts';
import { encodeArchive } from '../images/oci.ts';
import { assembleImages, type ImageSet } from '../images/role-image.ts';
import { type ImageRole, ROLES } from '../images/role-specs.ts';
import { checkSeccomp, writeSeccomp } from '../images/seccomp/write.ts';
import { checkSizes, renderSizes, writeSizes } from '../images/sizes-doc.ts';
import { updateBaseLock } from '../images/update-base-lock.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    role: { type: 'string', multiple: true },
    arch: { type: 'string' },
    engine: { type: 'string' },
    'no-load': { type: 'boolean' },
    against: { type: 'string' },
    /** Of verify's second build: prints the digests. */
    digests: { type: 'boolean' },
  },
});
const architecture = parseArchitecture(values.arch ?? hostArchitecture());
const isForeign = architecture !== hostArchitecture();
/** Images for another processor have a folder of their own: by their names alone an engine would take them for this one's. */
const DIST = fileURLToPath(new URL(isForeign ? `../dist/${architecture}` : '../dist', import.meta.url));
const roles = values.role?.map(parseRole) ?? ROLES;
const created = process.env.SOURCE_DATE_EPOCH === undefined ? undefined : Number(process.env.SOURCE_DATE_EPOCH);
const [command, argument] = positionals;

function parseRole(text: string): ImageRole {
  const role = ROLES.find((name) => name === text);
  if (role === undefined) {
    process.stderr.write(`no role is called ${text}: ${ROLES.join(', ')}\n`);
    process.exit(2);
  }
  return role;
}

function parseArchitecture(text: string): Architecture {
  const known = Object.keys(ARCHITECTURES) as Architecture[];
  const architecture = known.find((name) => name === text);
  if (architecture === undefined) {
    process.stderr.write(`no images are made for ${text}: ${known.join(', ')}\n`);
    process.exit(2);
  }
  return architecture;
}

const assemble = (): Promise<ImageSet> => assembleImages(architecture, roles, created);

async function build(): Promise<void> {
  const set = await assemble();
  for (const { role, layer, bundle, sbom } of set.roles) {
    writeBundle(DIST, role, bundle);
    writeFile(join(DIST, 'layers', `${role}.tar`), layer.tar);
    writeFile(join(DIST, 'sbom', `nectar-byon-${role}.cdx.json`), sbom);
  }
  const images = [set.base, ...set.roles.map(({ image }) => image)];
  const archive = encodeArchive(images, set.inputs.epoch);
  const path = join(DIST, 'images', `nectar-byon-${set.version}-linux-${set.architecture}.tar`);
  writeFile(path, archive);
  const lock = digestLockOf(set, created);
  writeFile(join(DIST, 'images', 'digests.lock.json'), `${JSON.stringify(lock, undefined, 2)}\n`);
  if (!values['no-load'] && !isForeign) await loadArchive(engineSocket(values.engine, process.env), archive);
  for (const { name, tag, id } of images) say(`${name}:${tag} ${id}`);
}

async function verify(): Promise<number> {
  const first = digestLockOf(await assemble(), created);
  const args = ['verify', '--digests', '--arch', architecture, ...roles.flatMap((role) => ['--role', role])];
  // A process of its own, with another clock, locale and file mask.
  const env = { ...process.env, TZ: 'Asia/Kathmandu', LC_ALL: 'C' };
  const mask = process.umask(0o077);
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...args], { env, encoding: 'utf8' });
  process.umask(mask);
  const found = differences(first, JSON.parse(output) as DigestLock).map((text) => `second build: ${text}`);
  const { digests } = readBaseInputs(architecture);
  if (first.base.id !== digests.image) found.push(`base: ${first.base.id} is not the locked ${digests.image}`);
  if (values.against !== undefined) {
    const theirs = JSON.parse(readFileSync(values.against, 'utf8')) as DigestLock;
    found.push(...differences(first, theirs).map((text) => `${values.against}: ${text}`));
  }
  for (const text of found) process.stderr.write(`${text}\n`);
  if (found.length === 0) say(`${roles.length} images and their base: same bytes in two builds, and as locked`);
  return found.length === 0 ? 0 : 3;
}

async function sizes(): Promise<number> {
  const found = layerSizes(await assemble());
  say(renderSizes(found));
  if (argument === 'write') writeSizes(found);
  const wrong = checkSizes(found);
  for (const text of wrong) process.stderr.write(`${text}\n`);
  return wrong.length === 0 ? 0 : 3;
}

async function sbom(): Promise<void> {
  for (const built of (await assemble()).roles) {
    const path = join(DIST, 'sbom', `nectar-byon-${built.role}.cdx.json`);
    writeFile(path, built.sbom);
    say(path);
  }
}

async function main(): Promise<number> {
  switch (command) {
    case 'build':
      await build();
      return 0;
    case 'verify':
      if (values.digests) say(JSON.stringify(digestLockOf(await assemble(), created)));
      return values.digests ? 0 : verify();
    case 'sizes':
      return sizes();
    case 'sbom':
      await sbom();
      return 0;
    case 'seccomp':
      return argument === 'check' ? checkSeccomp() : writeSeccomp();
    case 'lock':
      say(JSON.stringify(updateBaseLock(architecture, Date.now()), undefined, 2));
      return 0;
    default:
      process.stderr.write('usage: images.ts build|verify|sizes|sbom|seccomp|lock (see the head of the file)\n');
      return 2;
  }
}

process.exitCode = await main();
