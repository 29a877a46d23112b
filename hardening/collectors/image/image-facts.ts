import type { Observation } from '../../fact-set.ts';
import { looksLikeSecret } from '../../secret-shapes.ts';
import { environmentOf, healthTest, runsShell } from '../container/program.ts';
import type { Document } from '../document.ts';
import type { EngineNode } from '../engine-api.ts';
import { type FactsOf, observe } from '../observe.ts';
import type { ArchivedImage } from './archive.ts';
import { examineFiles, type ImageFiles } from './image-files.ts';

const MAX_SAID = 300;
const DAY_MS = 86_400_000;
const LICENCES_LABEL = 'org.opencontainers.image.licenses';
const INDEX_UPDATE =
  /\b(apt-get|apt|apk|yum|dnf|microdnf|zypper)\s+(-\S+\s+)*(update|refresh|makecache|check-update)\b/;
const INSTALLATION = /\b(install|add|upgrade|dist-upgrade)\b/;
const ASSIGNMENT = /(?:^|[\s|])([A-Za-z_][A-Za-z0-9_]*)=("[^"]*"|'[^']*'|\S+)/g;

/** What the images of a node are compared with. */
export interface ImageContext {
  /** Of the program. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of digests.lock.json: the images that this version was released with, or that were built here. */
  readonly lock?: {
    readonly imageIds: Readonly<Record<string, string>>;
    /** Digests of the layers of the base, uncompressed (OCI diff ids). */
    readonly baseLayers: readonly string[];
  };
}

export interface SeenImage {
  readonly role: string;
  readonly id: string;
  /** The answer to `GET /images/{id}/json`, and to its `/history`. */
  readonly inspection: Document;
  readonly history: Document;
  /** Throws why its files could not be read. */
  readonly files: () => ArchivedImage;
}

/** Pure but for the clock. */
export function imageFacts(image: SeenImage, node: EngineNode, context: ImageContext): FactsOf<'image'> {
  const { inspection, history } = image;
  const config = inspection.in('Config');
  const label = (name: string): string => config.in('Labels', name).textOr('');
  const steps = (): string[] => history.items().map((step) => step.in('CreatedBy').textOr(''));
  return {
    'image.role': { value: image.role },
    'image.user': observe(() => config.in('User').textOr('')),
    'image.secretsInConfig': observe(() => secretNames(config, steps())),
    'image.healthcheck': observe(() => healthTest(config).length > 0),
    'image.ageDays': observe(() => ageDays(inspection.in('Created').text(), context.now())),
    'image.layers': observe(() => inspection.in('RootFS', 'Layers').texts().length),
    'image.addInstructions': observe(() => steps().filter(isAdd).length),
    'image.updateInstructions': observe(
      () => steps().filter((step) => INDEX_UPDATE.test(step) && !INSTALLATION.test(step)).length,
    ),
    'image.labelled': observe(
      () => label(node.labels.version) !== '' && label(node.labels.role) === image.role && label(LICENCES_LABEL) !== '',
    ),
    'image.exposedPorts': observe(() => config.in('ExposedPorts').keys()),
    'image.entrypointShell': observe(() => {
      const entrypoint = config.in('Entrypoint').texts();
      return runsShell(entrypoint.length > 0 ? entrypoint : config.in('Cmd').texts());
    }),
    'image.versionMatches': observe(() => label(node.labels.version) === context.version),
    'image.digestKnown': observe(() => locked(context).imageIds[image.role] === image.id),
    'image.baseAssembled': observe(() => {
      const layers = inspection.in('RootFS', 'Layers').texts();
      const { baseLayers } = locked(context);
      return baseLayers.length > 0 && baseLayers.every((digest, index) => layers[index] === digest);
    }),
    'image.altered': altered(image),
    ...fileFacts(image.files),
  };
}

/** What an engine says that packs a layer again and gets other bytes than it was given (tar-split). */
const ALTERED = /integrity checksum failed|(digest|checksum|diff ?id)[^:]* (mismatch|does not match)/i;

/** Every byte of every layer against its digest. An engine that refuses to give a layer since it was altered has said so. */
function altered({ inspection, files }: SeenImage): Observation {
  return observe(() => {
    let diffIds: readonly string[];
    try {
      ({ diffIds } = files());
    } catch (error) {
      const { message } = error as Error;
      if (ALTERED.test(message)) return [message.slice(0, MAX_SAID)];
      throw error;
    }
    const wanted = inspection.in('RootFS', 'Layers').texts();
    if (wanted.length !== diffIds.length) throw new Error('the archive has another number of layers than the image');
    return wanted.filter((digest, index) => diffIds[index] !== digest);
  });
}

function fileFacts(files: () => ArchivedImage) {
  let examined: ImageFiles | undefined;
  const ask = (read: (found: ImageFiles) => string[] | boolean | number): Observation =>
    observe(() => {
      examined ??= examineFiles(files());
      return read(examined);
    });
  return {
    'image.shells': ask(({ shells }) => shells),
    'image.packageManagers': ask(({ packageManagers }) => packageManagers),
    'image.setuidFiles': ask(({ setuidFiles }) => setuidFiles),
    'image.fileCapabilities': ask(({ fileCapabilities }) => fileCapabilities),
    'image.worldWritableFiles': ask(({ worldWritableFiles }) => worldWritableFiles),
    'image.secretFiles': ask(({ secretFiles }) => secretFiles),
    'image.sbom': ask(({ hasSbom }) => hasSbom),
    'image.packages': ask(({ packages }) => packages),
    'image.bytes': observe(() => files().bytes),
  };
}

function locked({ lock }: ImageContext): NonNullable<ImageContext['lock']> {
  if (lock === undefined) throw new Error('no digests.lock.json of this version is known');
  return lock;
}

function ageDays(created: string, now: number): number {
  const at = Date.parse(created);
  if (Number.isNaN(at)) throw new Error('the image does not tell when it was made');
  return Math.floor((now - at) / DAY_MS);
}

/** Builders write `ADD file:...`, the older ones behind `/bin/sh -c #(nop)`. */
function isAdd(step: string): boolean {
  return /^(\/bin\/sh -c #\(nop\)\s+)?ADD\s/.test(step);
}

function secretNames(config: Document, steps: readonly string[]): string[] {
  const named: (readonly [string, string])[] = [
    ...environmentOf(config),
    ...config
      .in('Labels')
      .entries()
      .map(([name, value]) => [name, value.text()] as const),
    ...steps.flatMap((step) =>
      [...step.matchAll(ASSIGNMENT)].map(
        ([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/s, '$2')] as const,
      ),
    ),
  ];
  return named.filter(([name, value]) => looksLikeSecret(name, value)).map(([name]) => name);
}
