import { createManifestsCollector } from '../../hardening/collectors/kubernetes/kubernetes.ts';
import { createNodeCollector } from '../../hardening/collectors/node-itself.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import type { OpenCollectors } from './open-collectors.ts';
import { readNamedFile } from './read-file.ts';
import { nothingOf } from './sources/node-source.ts';

const MAX_FILE_BYTES = 32 * 1024 * 1024;
const NOT_YET = 'these are manifests: nothing of them runs yet';

/** Rendered manifests, before anything of them is installed: `helm template ... | nectar-byon harden --manifests -`. */
export async function openManifestCollectors(files: readonly string[], terminal: Terminal): Promise<OpenCollectors> {
  // What cannot be read is the caller's mistake, not a fact of the node.
  const texts: string[] = [];
  for (const file of files)
    texts.push(Buffer.from(await readNamedFile(terminal, file, MAX_FILE_BYTES)).toString('utf8'));
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
