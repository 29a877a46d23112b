import { setTimeout as delay } from 'node:timers/promises';
import { select } from '@clack/prompts';
import { answered, promptIo } from './prompt.ts';
import { openEngine } from './provision/docker/open-engine.ts';
import type { Terminal } from './terminal.ts';

export type InitTarget = 'process' | 'docker' | 'kubernetes';

/** A local engine answers at once; what takes longer is not asked about. */
const ENGINE_PATIENCE_MS = 2_000;

/** Whether a container engine that this user may use answers. */
export async function engineAnswers(terminal: Terminal, named: string | undefined): Promise<boolean> {
  const late = delay(ENGINE_PATIENCE_MS, false, { ref: false });
  const facts = (async () => (await openEngine(terminal, named).facts()) !== undefined)();
  return Promise.race([facts.catch(() => false), late]);
}

export async function askTarget(terminal: Terminal): Promise<InitTarget> {
  return answered(
    await select<InitTarget>({
      message: 'Where does the node run?',
      options: [
        { value: 'process', label: 'as a process of this user', hint: 'nothing else is needed' },
        {
          value: 'docker',
          label: 'in containers of the engine on this machine',
          hint: 'each role apart, hardened, started after a reboot',
        },
      ],
      ...promptIo(terminal),
    }),
  );
}
