import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { RekeyAnswer, RekeyState } from '../../appliance/gateway/key-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { confirmAction } from '../prompt.ts';
import { describeRekey } from '../render/rekey.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULT_LOAD = 50;
const ASK_EVERY_MS = 500;

interface RekeyOptions {
  readonly load?: number;
  readonly detach?: boolean;
  readonly show?: boolean;
  readonly stop?: boolean;
  readonly yes?: boolean;
}

export function registerKeyRekey(group: Command, terminal: Terminal): void {
  addVerb(group, 'rekey', {
    summary: 'seal every record anew under new keys, and destroy the old ones; goes on with one that stopped',
    about:
      'For when an old key may be known to somebody: `keys rotate` wraps the same data keys anew, this makes new ones, and new ciphertext. The node works at it in the background, over restarts, and goes on serving; --load says how much of its time it takes. Every version stays what it is, but for its CID: entity tags change, replicas and anchors are made anew. It needs free space for the largest record. The old keys are destroyed at the end, when nothing needs them; backups made before still hold them, with the records of their time: make a new one, and prune. The root key stays.',
    examples: ['keys rekey', 'keys rekey --load 10 --detach', 'keys rekey --show', 'keys rekey --stop'],
  })
    .addOption(
      new Option(
        '--load <percent>',
        `how much of its time the node works at it, 1 to 100 (default: ${DEFAULT_LOAD})`,
      ).argParser(parseLoad),
    )
    .addOption(new Option('--detach', 'begin, and do not wait for the end').conflicts(['show', 'stop']))
    .addOption(new Option('--show', 'how far it has come').conflicts(['stop', 'load']))
    .addOption(new Option('--stop', 'stop until the next `keys rekey`; what is done stays done').conflicts('load'))
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action(action(terminal, rekey));
}

function parseLoad(text: string): number {
  const load = parseCount(text);
  if (load > 100) throw new NectarError('CLI_USAGE', { problem: `--load ${text} is not from 1 to 100` });
  return load;
}

async function rekey(call: Call<RekeyOptions>): Promise<void> {
  const { options, output } = call;
  await withNode(call, async (client) => {
    if (options.show === true) {
      const answer = await client.json(RekeyAnswer, 'GET', '/v1/keys/rekey');
      // The same shape as of the command that begins or stops one; null when there was none.
      output.result(answer.rekey, () => (answer.rekey === null ? 'there was none' : describeRekey(answer.rekey)));
      return;
    }
    if (options.stop === true) {
      const stopped = await client.json(RekeyState, 'DELETE', '/v1/keys/rekey');
      output.result(stopped, () => describeRekey(stopped));
      return;
    }
    const begun = await begin(call, client);
    const ended = options.detach === true ? begun : await follow(call, client, begun);
    output.result(ended, () => describeRekey(ended));
    if (ended.state === 'failed' || ended.state === 'incomplete') {
      const { failed, reason = '' } = ended;
      throw new NectarError('STORE_REKEY_STOPPED', { failed, reason });
    }
  });
}

async function begin({ options, terminal, output }: Call<RekeyOptions>, client: Client): Promise<RekeyState> {
  const { rekey: before } = await client.json(RekeyAnswer, 'GET', '/v1/keys/rekey');
  const goesOn = before !== null && before.state !== 'done';
  if (!goesOn && !output.json) {
    const message = 'Seal every record anew under new keys, and destroy the old ones?';
    await confirmAction(terminal, { action: 'sealing every record anew', message, yes: options.yes === true });
  }
  // One that goes on keeps its load, unless another is named.
  const load = options.load ?? (goesOn ? before.load : DEFAULT_LOAD);
  return client.json(RekeyState, 'POST', '/v1/keys/rekey', { load });
}

/** Until it ends, is stopped, or nobody waits for it any longer: it is the node's work, not this command's. */
async function follow(
  { terminal, output }: Call<RekeyOptions>,
  client: Client,
  begun: RekeyState,
): Promise<RekeyState> {
  const shown = !output.json && terminal.stderr.isTTY === true;
  const bar = shown ? new SingleBar(barOptions(terminal)) : undefined;
  bar?.start(begun.total, begun.done, {});
  let state = begun;
  try {
    while (state.state === 'running') {
      await sleep(ASK_EVERY_MS, undefined, { signal: terminal.signal });
      const { rekey: now } = await client.json(RekeyAnswer, 'GET', '/v1/keys/rekey');
      state = now ?? state;
      bar?.update(state.done, {});
    }
    return state;
  } catch (error) {
    bar?.stop();
    if (terminal.signal.aborted)
      output.note(
        `The node goes on with it (${state.done} of ${state.total} versions). Look: nectar-byon keys rekey --show. Stop it: nectar-byon keys rekey --stop.`,
      );
    throw error;
  } finally {
    bar?.stop();
  }
}

function barOptions(terminal: Terminal): ConstructorParameters<typeof SingleBar>[0] {
  return {
    stream: terminal.stderr,
    format: 'rekey [{bar}] {percentage}%  {value} of {total} versions  {eta_formatted} to go',
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
  };
}
