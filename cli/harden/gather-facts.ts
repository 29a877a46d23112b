import { collectFacts } from '../../hardening/collectors/collector.ts';
import type { FactSet } from '../../hardening/fact-set.ts';
import { MAX_FACTS_BYTES, parseFactSet } from '../../hardening/parse-facts.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { NAME_PATTERN } from '../provision/kubernetes/cluster-target.ts';
import { showWork } from '../render/work.ts';
import { VERSION } from '../version.ts';
import type { OpenCollectors } from './open-collectors.ts';
import type { HardenOptions } from './options.ts';
import { readNamedFile } from './read-file.ts';

/** Facts from a file, from rendered manifests, or from looking at the node now. */
export async function gatherFacts(call: Call<HardenOptions>): Promise<FactSet> {
  const { options, terminal } = call;
  if (options.facts !== undefined) {
    return parseFactSet(await readNamedFile(terminal, options.facts, MAX_FACTS_BYTES), options.facts);
  }
  if (options.manifests !== undefined) {
    const { openManifestCollectors } = await import('./manifest-collectors.ts');
    return look(call, await openManifestCollectors(options.manifests, terminal));
  }
  if (options.cluster !== undefined) {
    const release = parseRelease(options.cluster);
    const { openReleaseCollectors } = await import('./compose-kubernetes.ts');
    return look(call, openReleaseCollectors(release, { terminal, probe: options.probe }));
  }
  requireHome(call.home);
  const { openNodeCollectors } = await import('./node-collectors.ts');
  return look(call, await openNodeCollectors(call));
}

/** @throws NectarError CLI_USAGE */
function parseRelease(text: string): { namespace: string; name: string } {
  const [namespace = '', name = '', ...more] = text.split('/');
  if (more.length > 0 || ![namespace, name].every((part) => new RegExp(NAME_PATTERN).test(part)))
    throw new NectarError('CLI_USAGE', { problem: `${text} is not of the form NAMESPACE/RELEASE` });
  return { namespace, name };
}

async function look({ terminal, output }: Call<unknown>, open: OpenCollectors): Promise<FactSet> {
  const { node, collectors } = open;
  try {
    return await showWork(terminal, output, 'looking at the node', (say) =>
      collectFacts(collectors, {
        tool: { name: 'nectar-byon', version: VERSION },
        node,
        now: () => terminal.now(),
        signal: terminal.signal,
        onProgress: (collector) => say(`looking: ${collector}`),
      }),
    );
  } finally {
    await open.close();
  }
}
