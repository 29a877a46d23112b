import { relative, resolve, sep } from 'node:path';
import { createManifestsCollector } from '../../hardening/collectors/kubernetes/kubernetes.ts';
import type { ManifestText } from '../../hardening/collectors/kubernetes/manifests.ts';
import { createNodeCollector } from '../../hardening/collectors/node-itself.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import type { OpenCollectors } from './open-collectors.ts';
import { readNamedFile } from './read-file.ts';
import { nothingOf } from './sources/node-source.ts';

const MAX_FILE_BYTES = 32 * 1024 * 1024;
const MAX_PATH_CHARS = 1024;
const NOT_YET = 'these are manifests: nothing of them runs yet';

/** Rendered manifests, before anything of them is installed: `helm template ... | nectar-byon harden --manifests -`. */
export async function openManifestCollectors(files: readonly string[], terminal: Terminal): Promise<OpenCollectors> {
  // What cannot be read is the caller's mistake, not a fact of the node.
  const texts: ManifestText[] = [];
  for (const file of files)
    texts.push({
      text: Buffer.from(await readNamedFile(terminal, file, MAX_FILE_BYTES)).toString('utf8'),
      ...placeOf(file, terminal),
    });
  return {
    node: { id: 'rendered', target: 'kubernetes', network: '' },
    collectors: [
      createNodeCollector({
        ...{ target: 'kubernetes', state: 'rendered', version: VERSION, settings: { descriptor: undefined } },
      }),
      createManifestsCollector({ read: async () => texts }),
      nothingOf(
        ['engine', 'host', 'image', 'process', 'volume', 'network', 'listener', 'file', 'key', 'cluster'],
        NOT_YET,
        ['node.rolesMissing'],
      ),
    ],
    close: async () => undefined,
  };
}

/** The file as a repository names it that is looked at from its top. Standard input has no name, and what lies elsewhere none there. */
function placeOf(file: string, { workingFolder }: Pick<Terminal, 'workingFolder'>): Pick<ManifestText, 'file'> {
  const path = relative(workingFolder, resolve(workingFolder, file));
  const isOutside = path === '' || path.split(sep)[0] === '..' || path.startsWith(sep);
  return file === '-' || isOutside || path.length > MAX_PATH_CHARS ? {} : { file: path.split(sep).join('/') };
}
