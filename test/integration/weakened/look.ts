import { Command } from 'commander';
import type { Call } from '../../../cli/call.ts';
import { openNodeCollectors } from '../../../cli/harden/node-collectors.ts';
import type { HardenOptions } from '../../../cli/harden/options.ts';
import { createOutput } from '../../../cli/render/output.ts';
import { VERSION } from '../../../cli/version.ts';
import { collectFacts } from '../../../hardening/collectors/collector.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { fakeTerminal } from '../../unit/cli/capture.ts';
import { named } from './weakening.ts';

export interface LookOptions {
  readonly env: Record<string, string>;
  /** Names of the collectors that look; all of them where none is named. */
  readonly collectors?: readonly string[];
  /** Of whoever looks; the machine's where none is given. */
  readonly now?: () => number;
}

/** Looks at a node with the collectors of `nectar-byon harden`, in this process. */
export async function look(home: string, { env, collectors: names, now = Date.now }: LookOptions): Promise<FactSet> {
  const terminal = { ...fakeTerminal({ env }).terminal, now };
  const call: Call<HardenOptions> = {
    options: { probe: true, record: false },
    operands: [],
    ...{ home, terminal, output: createOutput(terminal, true), command: new Command() },
  };
  const { node, collectors, close } = await openNodeCollectors(call);
  try {
    const tool = { name: 'nectar-byon', version: VERSION };
    const looking = names === undefined ? collectors : named(collectors, names);
    return await collectFacts(looking, { tool, node, now, signal: terminal.signal });
  } finally {
    await close();
  }
}
