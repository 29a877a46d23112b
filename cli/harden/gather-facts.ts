import { collectFacts } from '../../hardening/collectors/collector.ts';
import type { FactSet } from '../../hardening/fact-set.ts';
import { MAX_FACTS_BYTES, parseFactSet } from '../../hardening/parse-facts.ts';
import type { Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
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
  requireHome(call.home);
  const { openNodeCollectors } = await import('./node-collectors.ts');
  return look(call, await openNodeCollectors(call));
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
