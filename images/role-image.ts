import { readFileSync } from 'node:fs';
import { baseTag, createBaseImage } from './base-image.ts';
import { type Architecture, type BaseInputs, readBaseInputs } from './base-lock.ts';
import { bundleRole, type RoleBundle } from './bundle-role.ts';
import { npmPackagesOf } from './npm-packages.ts';
import { createImage, createLayer, type Image, type Layer, type RunConfig } from './oci.ts';
import { roleEntries } from './role-layer.ts';
import { type ImageRole, ROLE_SPECS, userOf } from './role-specs.ts';
import { createSbom } from './sbom.ts';

const SECOND_NS = 1_000_000_000;
const MANIFEST = new URL('../package.json', import.meta.url);

export interface RoleImage {
  readonly role: ImageRole;
  readonly image: Image;
  /** The role's own layer; what is below it is the base. */
  readonly layer: Layer;
  readonly bundle: RoleBundle;
  readonly sbom: Uint8Array;
}

export interface ImageSet {
  readonly version: string;
  readonly architecture: Architecture;
  readonly inputs: BaseInputs;
  readonly base: Image;
  readonly roles: readonly RoleImage[];
}

/**
 * Assembles the base and the roles' images in memory: no engine, no registry, no container is needed for it.
 *
 * @param created seconds since 1970; the base's own date unless a release says another
 */
export async function assembleImages(
  architecture: Architecture,
  roles: readonly ImageRole[],
  created?: number,
): Promise<ImageSet> {
  const inputs = readBaseInputs(architecture);
  const base = createBaseImage(architecture, inputs);
  const { version } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string };
  const context = { architecture, inputs, base, version, created: created ?? inputs.epoch };
  const built: RoleImage[] = [];
  for (const role of roles) built.push(await assembleRole(role, context));
  return { version, architecture, inputs, base, roles: built };
}

interface Context {
  readonly architecture: Architecture;
  readonly inputs: BaseInputs;
  readonly base: Image;
  readonly version: string;
  readonly created: number;
}

async function assembleRole(role: ImageRole, context: Context): Promise<RoleImage> {
  const { architecture, inputs, base, version, created } = context;
  const bundle = await bundleRole(role, architecture);
  const { packages, direct } = npmPackagesOf(bundle);
  // The base's time, not the release's, in the layer and what is in it: unchanged, it keeps its digest from release to release.
  const sbom = createSbom({ role, version, architecture, base: inputs, packages, direct });
  const layer = createLayer(
    roleEntries({ role, bundle, packages, sbom }),
    inputs.epoch,
    `nectar-byon ${role} ${version}`,
  );
  const image = createImage({
    name: `nectar-byon-${role}`,
    tag: version,
    architecture,
    created,
    layers: [...base.layers, layer],
    config: runConfig(role, version, inputs),
  });
  return { role, image, layer, bundle, sbom };
}

/** The Dockerfile says the same (tested). */
function runConfig(role: ImageRole, version: string, inputs: BaseInputs): RunConfig {
  const program = ['/nodejs/bin/node', '/app/main.mjs'];
  return {
    User: userOf(role),
    Env: ['PATH=/nodejs/bin', 'NODE_ENV=production', 'NECTAR_SOCKETS=/run/nectar'],
    Entrypoint: [...program, 'run', role, '--home', '/nectar'],
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    Labels: {
      'org.nectar-byon.base': baseTag(inputs),
      'org.nectar-byon.role': role,
      'org.nectar-byon.version': version,
      'org.opencontainers.image.description': `Nectar BYON, role ${role}: ${ROLE_SPECS[role].title}`,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.title': `nectar-byon-${role}`,
      'org.opencontainers.image.vendor': 'Nectar',
      'org.opencontainers.image.version': version,
    },
    Healthcheck: {
      Test: ['CMD', ...program, 'healthcheck', role],
      Interval: 15 * SECOND_NS,
      Timeout: 5 * SECOND_NS,
      StartPeriod: 30 * SECOND_NS,
      Retries: 3,
    },
  };
}
