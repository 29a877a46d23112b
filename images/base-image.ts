import { baseEntries } from './base-layer.ts';
import type { Architecture, BaseInputs } from './base-lock.ts';
import { createImage, createLayer, type Image } from './oci.ts';

const BASE_NAME = 'nectar-byon-base';

/** Tagged by what is in it: Node's version and Debian's release. */
export function baseTag({ node, debian }: BaseInputs): string {
  return `${node.version}-${debian.release}`;
}

/** The base by itself: what the Dockerfile's BASE argument names, and the first layer of every role's image. */
export function createBaseImage(architecture: Architecture, inputs: BaseInputs): Image {
  const layer = createLayer(
    baseEntries(architecture, inputs),
    inputs.epoch,
    'nectar-byon base: node, glibc, CA certificates',
  );
  return createImage({
    name: BASE_NAME,
    tag: baseTag(inputs),
    architecture,
    created: inputs.epoch,
    layers: [layer],
    config: {
      User: '65534:65534',
      Env: ['PATH=/nodejs/bin'],
      Entrypoint: ['/nodejs/bin/node'],
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
      Labels: {
        'org.opencontainers.image.title': BASE_NAME,
        'org.opencontainers.image.version': baseTag(inputs),
        'org.opencontainers.image.licenses':
          'MIT AND LGPL-2.1-or-later AND GPL-3.0-or-later WITH GCC-exception-3.1 AND MPL-2.0',
      },
    },
  });
}
