import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { KeyList, RekeyAnswer, RekeyState, ReplacedRoot } from '../../appliance/gateway/key-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { leaving } from '../interruption.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { readPassphrase } from '../passphrase.ts';
import { confirmAction } from '../prompt.ts';
import { describeRekey } from '../render/rekey.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULT_LOAD = 50;
const ASK_EVERY_MS = 500;
const LEFT_AT_WORK =
  'the node goes on with it; `nectar-byon keys rekey --show` shows how far it is, `nectar-byon keys rekey --stop` stops it';
const LEFT_ROOT = 'the root key is replaced; `nectar-byon keys rekey` seals the records anew';

interface RekeyOptions {
  readonly load?: number;
  readonly detach?: boolean;
  readonly show?: boolean;
  readonly stop?: boolean;
  readonly yes?: boolean;
  readonly root?: boolean;
  readonly without?: readonly string[];
  readonly passphraseFile?: string;
}

export function registerKeyRekey(group: Command, terminal: Terminal): void {
  addVerb(group, 'rekey', {
    summary: 'seal every record anew under new keys, and destroy the old ones; goes on with one that stopped',
    about:
      'For when an old key may be known to somebody: `keys rotate` wraps the same data keys anew, this makes new ones, and new ciphertext. The node works at it in the background, over restarts, and goes on serving; --load says how much of its time it takes. Every version stays what it is, but for its CID: entity tags change, replicas and anchors are made anew. It needs free space for the largest record. The old keys are destroyed at the end, when nothing needs them; backups made before still hold them, with the records of their time: make a new one, and prune. With --root the root key is replaced first: recovery kits and copies of keys.json of before open none of the new keys. What opens the node goes on opening it, by the same passphrase, file or device; change that too when it may be known (`keys change`). The identities get a new key at once, the index (names, labels, sizes, times) at the next start of the node, before anything is served, and the bodies of the log (who did what, from where) from that start on; those of before are sealed anew behind it, up to the last 256 or fewer, which a later start takes. The database of the chain and backup repositories stay under the keys that they have; against somebody who had the old root key, a new node alone hides those. Backups made before stay readable by their own keys, and give no single records to the index of later (`fsck --from`).',
    examples: [
      'keys rekey',
      'keys rekey --load 10 --detach',
      'keys rekey --show',
      'keys rekey --stop',
      'keys rekey --root',
      'keys rekey --root --without passphrase-3',
    ],
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
    .addOption(new Option('--root', 'replace the root key too, before').conflicts(['show', 'stop']))
    .addOption(
      new Option('--without <id...>', 'with --root: provider that no longer opens the node; it is not asked for'),
    )
    .addOption(
      new Option(
        '--passphrase-file <file>',
        'with --root: file that holds the passphrase, where one is enrolled; - is stdin (default: asked for)',
      ),
    )
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
    if (options.root === true) await replaceRoot(call, client);
    const begun =
      options.root === true
        ? await leaving(
            call.terminal,
            () => LEFT_ROOT,
            () => begin(call, client),
          )
        : await begin(call, client);
    const ended =
      options.detach === true
        ? begun
        : await leaving(
            call.terminal,
            () => LEFT_AT_WORK,
            () => follow(call, client, begun),
          );
    output.result(ended, () => describeRekey(ended));
    if (ended.state === 'failed' || ended.state === 'incomplete') {
      const { failed, reason = '' } = ended;
      throw new NectarError('STORE_REKEY_STOPPED', { failed, reason });
    }
  });
}

/** A passphrase is asked for where one is enrolled that stays: the new root key is sealed by it. */
async function replaceRoot({ options, terminal, output }: Call<RekeyOptions>, client: Client): Promise<void> {
  const { without = [] } = options;
  const { providers } = await client.json(KeyList, 'GET', '/v1/keys');
  if (!output.json) {
    const message = 'Replace the root key? Recovery kits made before open this node no more: make new ones.';
    await confirmAction(terminal, { action: 'replacing the root key', message, yes: options.yes === true });
  }
  const asked = providers.some(({ id, attended }) => attended && !without.includes(id));
  const passphrase = asked ? await readPassphrase(terminal, options.passphraseFile) : undefined;
  const body = { without, ...(passphrase !== undefined && { passphrase: Buffer.from(passphrase).toString('utf8') }) };
  passphrase?.fill(0);
  const replaced = await client.json(ReplacedRoot, 'POST', '/v1/keys/root', body);
  output.note(`The root key is another one. It opens by: ${replaced.providers.join(', ')}.`);
  output.note('The index and the log get their new keys at the next start: `nectar-byon down`, `nectar-byon up`.');
  output.note('As before stay the keys of the chain database and of repositories: `nectar-byon keys list`.');
  output.note('Make a new backup and new recovery kits: `nectar-byon backup`, `nectar-byon keys backup`.');
}

async function begin({ options, terminal, output }: Call<RekeyOptions>, client: Client): Promise<RekeyState> {
  const { rekey: before } = await client.json(RekeyAnswer, 'GET', '/v1/keys/rekey');
  const goesOn = before !== null && before.state !== 'done';
  // Who replaced the root key has said yes to this already.
  if (!goesOn && !output.json && options.root !== true) {
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
