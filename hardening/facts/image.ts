import { type FactDefinition, integer, set, text, yes } from './definition.ts';

/** Of the image of each role: from the engine's inspection and from its files. */
export const IMAGE_FACTS = {
  'image.role': text('Role of the node that it is for.'),
  'image.user': text('User that the image names; empty for root.'),
  'image.shells': set('Shells in it, by path.'),
  'image.packageManagers': set('Package managers in it, by path.'),
  'image.setuidFiles': set('Files with the setuid or setgid bit, by path (at most 64).'),
  'image.fileCapabilities': set('Files with capabilities of their own, by path.'),
  'image.worldWritableFiles': set(
    'Files and folders that anyone may write, sticky folders excepted, by path (at most 64).',
  ),
  'image.secretFiles': set('Files that look like a key or a credential, by path (at most 64).'),
  'image.secretsInConfig': set('Names in its environment, labels or history that look like a secret.'),
  'image.healthcheck': yes('Whether it defines a health check.'),
  'image.sbom': yes('Whether a software bill of materials (CycloneDX) comes with it.'),
  'image.packages': integer('Debian packages that its base was assembled from.'),
  'image.ageDays': integer('Days since the day that its base was chosen.'),
  'image.bytes': integer('Bytes of all layers, uncompressed.'),
  'image.layers': integer('Number of layers.'),
  'image.addInstructions': integer('ADD instructions in its history.'),
  'image.updateInstructions': integer('Instructions in its history that only update a package index.'),
  'image.labelled': yes('Whether it carries version, licence and role labels.'),
  'image.exposedPorts': set('Ports that it exposes.'),
  'image.digestKnown': yes(
    'Whether its id is the one in the digest lock that this version of the program was released with or built.',
  ),
  'image.entrypointShell': yes('Whether its entrypoint runs a shell.'),
  'image.versionMatches': yes('Whether its version label is that of the program.'),
  'image.altered': set(
    'Layers whose files on disk are not those of their digests, by digest, or what the engine says of them.',
  ),
  'image.baseAssembled': yes(
    'Whether its base came from scratch or from the digest named in the lock, not from a moving tag.',
  ),
} as const satisfies Record<`image.${string}`, FactDefinition>;
