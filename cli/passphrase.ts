import { readFile, stat } from 'node:fs/promises';
import { password } from '@clack/prompts';
import { NectarError } from '../protocol/errors.ts';
import { answered, askPassphrase, promptIo } from './prompt.ts';
import type { Terminal } from './terminal.ts';

export const MIN_PASSPHRASE_CHARACTERS = 12;
const MAX_PASSPHRASE_BYTES = 1024;

/**
 * The passphrase from `--passphrase-file` (`-` is stdin), else from a prompt. One line end at its end is not part of it: editors
 * and `echo` add one. It never comes from an argument or the environment, which other processes may see.
 */
export async function readPassphrase(terminal: Terminal, file: string | undefined): Promise<Uint8Array> {
  if (file === undefined) return askPassphrase(terminal);
  const bytes = file === '-' ? await readStdin(terminal) : await readPassphraseFile(file);
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  return bytes.subarray(0, bytes.length - end);
}

async function readPassphraseFile(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_PASSPHRASE_BYTES) throw new Error(`larger than ${MAX_PASSPHRASE_BYTES} bytes`);
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}

async function readStdin(terminal: Terminal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of terminal.stdin) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_PASSPHRASE_BYTES) {
      throw new NectarError('CLI_FILE_UNREADABLE', {
        path: 'stdin',
        reason: `larger than ${MAX_PASSPHRASE_BYTES} bytes`,
      });
    }
    chunks.push(Buffer.from(chunk as Buffer));
  }
  return Buffer.concat(chunks);
}

/** Refuses what a guesser tries first. @throws NectarError CLI_PASSPHRASE_WEAK */
export function checkPassphrase(passphrase: Uint8Array): void {
  if ([...Buffer.from(passphrase).toString('utf8')].length < MIN_PASSPHRASE_CHARACTERS) {
    throw new NectarError('CLI_PASSPHRASE_WEAK', { minimum: MIN_PASSPHRASE_CHARACTERS });
  }
}

/** A hint while it is chosen, not a promise: characters and kinds of characters, and no more than that. */
export function passphraseHint(text: string): string | undefined {
  const missing = MIN_PASSPHRASE_CHARACTERS - [...text].length;
  if (missing > 0)
    return `${missing} more ${missing === 1 ? 'character' : 'characters'}: four random words are strong and easy to type`;
  if (/^(.)\1*$/u.test(text) || new Set(text).size < 5)
    return 'almost one and the same character: four random words are strong';
  return undefined;
}

/** Asks for a new passphrase, twice. */
export async function chooseNewPassphrase(terminal: Terminal): Promise<Uint8Array> {
  const io = promptIo(terminal);
  const first = answered(
    await password({
      message: `Passphrase that unlocks the node (at least ${MIN_PASSPHRASE_CHARACTERS} characters; nobody can recover it)`,
      validate: (value) => passphraseHint(value ?? ''),
      ...io,
    }),
  );
  answered(
    await password({
      message: 'The same passphrase again',
      validate: (value) => (value === first ? undefined : 'the two differ'),
      ...io,
    }),
  );
  return Buffer.from(first, 'utf8');
}
