import { readFile, stat } from 'node:fs/promises';
import { log, password } from '@clack/prompts';
import { decodeEditedText } from '../appliance/edited-text.ts';
import { requireStrongPassphrase } from '../appliance/keys/passphrase-strength.ts';
import { canonicalPassphrase } from '../appliance/keys/passphrase-text.ts';
import { isNectarError, NectarError } from '../protocol/errors.ts';
import { answered, askPassphrase, promptIo } from './prompt.ts';
import type { Terminal } from './terminal.ts';

const MIN_PASSPHRASE_CHARACTERS = 12;
const MAX_PASSPHRASE_BYTES = 1024;

/**
 * The passphrase from `--passphrase-file` (`-` is stdin), else from a prompt. Neither a byte order mark nor one line end at its
 * end is part of it: editors and `echo` add them. It never comes from an argument or the environment, which other processes may see.
 */
export async function readPassphrase(terminal: Terminal, file: string | undefined): Promise<Uint8Array> {
  if (file === undefined) return askPassphrase(terminal);
  const bytes = file === '-' ? await readStdin(terminal) : await readPassphraseFile(file);
  const text = decodeEditedText(bytes);
  // What is no text is refused, or found wrong, by whoever takes it.
  return text === undefined ? new Uint8Array(bytes) : new TextEncoder().encode(text.replace(/\r?\n$/, ''));
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

/** Refuses what a guesser tries first, and what nobody could type again. @throws NectarError CLI_PASSPHRASE_WEAK, KEY_PASSPHRASE_WEAK, KEY_PASSPHRASE_INVALID */
export async function checkPassphrase(passphrase: Uint8Array): Promise<void> {
  const canonical = canonicalPassphrase(passphrase);
  if (canonical === undefined) throw new NectarError('KEY_PASSPHRASE_INVALID', {});
  if ([...Buffer.from(canonical).toString('utf8')].length < MIN_PASSPHRASE_CHARACTERS) {
    throw new NectarError('CLI_PASSPHRASE_WEAK', { minimum: MIN_PASSPHRASE_CHARACTERS });
  }
  await requireStrongPassphrase(canonical);
  canonical.fill(0);
}

/** A hint while it is typed; whether it is strong is told when it is complete. */
export function passphraseHint(text: string): string | undefined {
  const missing = MIN_PASSPHRASE_CHARACTERS - [...text].length;
  if (missing > 0)
    return `${missing} more ${missing === 1 ? 'character' : 'characters'}: four random words are strong and easy to type`;
  if (/^(.)\1*$/u.test(text) || new Set(text).size < 5)
    return 'almost one and the same character: four random words are strong';
  return undefined;
}

/** Asks for a new passphrase, twice, until it is one that stands guessing. */
export async function chooseNewPassphrase(terminal: Terminal): Promise<Uint8Array> {
  for (;;) {
    const chosen = await askTwice(terminal);
    try {
      await checkPassphrase(chosen);
      return chosen;
    } catch (error) {
      if (!isNectarError(error)) throw error;
      chosen.fill(0);
      log.warn(`${error.message}: choose four or more words at random`, promptIo(terminal));
    }
  }
}

async function askTwice(terminal: Terminal): Promise<Uint8Array> {
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
