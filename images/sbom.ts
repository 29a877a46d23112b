import { createHash } from 'node:crypto';
import type { Architecture, BaseInputs } from './base-lock.ts';
import type { NpmPackage } from './npm-packages.ts';
import type { ImageRole } from './role-specs.ts';

/** SPDX ids of what Debian's own control files do not say; the full texts are in the image, under /licenses. */
const DEBIAN_LICENCES: Readonly<Record<string, string>> = {
  'base-files': 'GPL-2.0-or-later',
  'ca-certificates': 'MPL-2.0 AND GPL-2.0-or-later',
  'gcc-12-base': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  libc6: 'LGPL-2.1-or-later',
  'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'libstdc++6': 'GPL-3.0-or-later WITH GCC-exception-3.1',
};
const DEBIAN_DEPENDS: Readonly<Record<string, readonly string[]>> = {
  libc6: ['libgcc-s1'],
  'libgcc-s1': ['gcc-12-base'],
  'libstdc++6': ['gcc-12-base', 'libc6', 'libgcc-s1'],
};

export interface SbomInputs {
  readonly role: ImageRole;
  readonly version: string;
  readonly architecture: Architecture;
  readonly base: BaseInputs;
  readonly packages: readonly NpmPackage[];
  /** Keys of the packages that our own code imports. */
  readonly direct: readonly string[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly [field: string]: unknown;
}

/**
 * CycloneDX 1.6 (ECMA-424) of one image: the npm packages of which code is in its bundle (not all that are installed), Node, and the
 * Debian packages of the base; who uses whom. The same inputs give the same bytes: no clock, no random serial number.
 */
export function createSbom(inputs: SbomInputs): Uint8Array {
  const { role, version, architecture, base, packages, direct } = inputs;
  const name = `nectar-byon-${role}`;
  const application = `pkg:npm/nectar-byon@${version}`;
  const root = `${name}@${version}`;
  const npm = new Map(packages.map((item) => [`${item.name}@${item.version}`, npmComponent(item)]));
  const debian = new Map(base.debian.packages.map((item) => [item.name, debianComponent(item, base, architecture)]));
  const node = nodeComponent(base);
  const refs = (found: readonly (Component | undefined)[]): string[] =>
    found.flatMap((component) => component?.['bom-ref'] ?? []).sort();
  const components = [
    {
      type: 'application',
      'bom-ref': application,
      name: 'nectar-byon',
      version,
      purl: application,
      licenses: licences('Apache-2.0'),
    },
    node,
    ...debian.values(),
    ...npm.values(),
  ];
  const dependencies = [
    {
      ref: root,
      dependsOn: [
        application,
        node['bom-ref'],
        ...refs(['base-files', 'ca-certificates'].map((key) => debian.get(key))),
      ],
    },
    { ref: application, dependsOn: refs(direct.map((key) => npm.get(key))) },
    { ref: node['bom-ref'], dependsOn: refs(['libc6', 'libgcc-s1', 'libstdc++6'].map((key) => debian.get(key))) },
    ...packages.map((item) => ({
      ref: npmPurl(item),
      dependsOn: refs(item.uses.map((key) => npm.get(key))),
    })),
    ...[...debian].map(([key, component]) => ({
      ref: component['bom-ref'],
      dependsOn: refs((DEBIAN_DEPENDS[key] ?? []).map((to) => debian.get(to))),
    })),
  ];
  const body = {
    version: 1,
    metadata: {
      timestamp: new Date(base.epoch * 1000).toISOString(),
      component: { type: 'container', 'bom-ref': root, name, version, licenses: licences('Apache-2.0') },
    },
    components,
    dependencies,
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(body))}`;
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber,
    ...body,
  };
  return Buffer.from(`${JSON.stringify(bom, undefined, 1)}\n`);
}

export function npmPurl({ name, version }: Pick<NpmPackage, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function npmComponent(item: NpmPackage): Component {
  return {
    type: 'library',
    'bom-ref': npmPurl(item),
    name: item.name,
    version: item.version,
    ...(item.sha512 !== undefined && { hashes: [{ alg: 'SHA-512', content: item.sha512 }] }),
    licenses: licences(item.licence),
    purl: npmPurl(item),
  };
}

function debianComponent(
  item: BaseInputs['debian']['packages'][number],
  base: BaseInputs,
  architecture: Architecture,
): Component {
  const { name, version, sha256 } = item;
  const [escaped, release] = [encodeURIComponent(name), base.debian.release];
  const purl = `pkg:deb/debian/${escaped}@${encodeURIComponent(version)}?arch=${item.architecture}&distro=${release}`;
  const licence = DEBIAN_LICENCES[name];
  if (licence === undefined) throw new Error(`no licence is known for the Debian package ${name} (${architecture})`);
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: licences(licence),
    purl,
  };
}

function nodeComponent({ node }: BaseInputs): Component {
  const purl = `pkg:generic/node@${node.version}`;
  return {
    type: 'platform',
    'bom-ref': purl,
    name: 'node',
    version: node.version,
    description: 'the program of the npm package node; the libraries built into it are named in /licenses/node/LICENSE',
    cpe: `cpe:2.3:a:nodejs:node.js:${node.version}:*:*:*:*:*:*:*`,
    hashes: [{ alg: 'SHA-256', content: node.sha256 }],
    licenses: licences('MIT'),
    purl,
  };
}

/** One id, or an expression where there is an operator in it (CycloneDX allows only one expression). */
function licences(text: string): object[] {
  if (/ (AND|OR|WITH) /.test(text)) return [{ expression: text }];
  return [{ license: /^[A-Za-z0-9.+-]+$/.test(text) && text !== 'NOASSERTION' ? { id: text } : { name: text } }];
}

/** A name-based UUID (RFC 9562, version 8: our own hash). */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
