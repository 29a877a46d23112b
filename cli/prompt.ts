import { confirm, isCancel, password, text } from '@clack/prompts';
import { NectarError } from '../protocol/errors.ts';
import { isInteractive, type Terminal } from './terminal.ts';

type PromptIo = {
  readonly input: Terminal['stdin'];
  readonly output: Terminal['stderr'];
  readonly signal: AbortSignal;
};

/** Prompts talk on stderr: stdout stays the result's. */
export function promptIo(terminal: Terminal): PromptIo {
  return { input: terminal.stdin, output: terminal.stderr, signal: terminal.signal };
}

/** The answer of a prompt; Ctrl-C in it counts as a Ctrl-C anywhere. */
export function answered<T>(value: T): Exclude<T, symbol> {
  if (isCancel(value)) throw new NectarError('CLI_INTERRUPTED', { signal: 'SIGINT' });
  return value as Exclude<T, symbol>;
}

export interface Question {
  readonly action: string;
  readonly message: string;
  /** --yes was given. */
  readonly yes: boolean;
}

/** Asks before something that cannot be undone. @throws NectarError CLI_DECLINED also where nobody can be asked. */
export async function confirmAction(terminal: Terminal, question: Question): Promise<void> {
  if (question.yes) return;
  const agreed =
    isInteractive(terminal) &&
    answered(await confirm({ message: question.message, initialValue: false, ...promptIo(terminal) }));
  if (!agreed) throw new NectarError('CLI_DECLINED', { action: question.action });
}

/** Asks for a text that must be typed exactly, such as the first digits of a node id. */
export async function confirmByTyping(
  terminal: Terminal,
  question: Question & { readonly expected: string },
): Promise<void> {
  if (question.yes) return;
  const typed = isInteractive(terminal)
    ? answered(await text({ message: question.message, ...promptIo(terminal) }))
    : '';
  if (typed.trim() !== question.expected) throw new NectarError('CLI_DECLINED', { action: question.action });
}

/** Asks for the passphrase of a node that exists; what is typed does not show. */
export async function askPassphrase(terminal: Terminal): Promise<Uint8Array> {
  if (!isInteractive(terminal)) throw new NectarError('CLI_PASSPHRASE_MISSING', {});
  const typed = answered(await password({ message: 'Passphrase of this node', ...promptIo(terminal) }));
  return Buffer.from(typed ?? '', 'utf8');
}
