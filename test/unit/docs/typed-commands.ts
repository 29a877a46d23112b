import { type Command, CommanderError } from 'commander';
import { createProgram } from '../../../cli/program.ts';
import { fakeTerminal } from '../cli/capture.ts';

/** Every `nectar-byon ...` of a document: in its shell blocks, and in the text between backticks. */
export function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => (match[1] ?? '').split('\n'));
  const inline = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return [...blocks, ...inline].flatMap(commandsIn);
}

/** Up to the end of the command: a comment, a pipe, a redirection, the end of $(...). */
export function commandsIn(line: string): string[] {
  return [...line.matchAll(/(?:^|[\s(|&;])(?:\.\/)?nectar-byon( [^|&;)<>#`]*)/g)].map((match) =>
    (match[1] ?? '').trim(),
  );
}

export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Parses as the program would, and runs nothing. */
export async function parse(words: readonly string[]): Promise<string | undefined> {
  const program = createProgram(fakeTerminal().terminal);
  let ran: string | undefined;
  const disarm = (command: Command): void => {
    for (const child of command.commands) {
      child.action(() => {
        ran = child.name();
      });
      disarm(child);
    }
  };
  disarm(program);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 'help';
    throw error;
  }
  return ran;
}

/**
 * What of a command that prose names is nowhere in the program: a verb, or an option of it. Operands may be left out, and words of the
 * sentence may follow.
 */
export function unknownOf(command: string): string | undefined {
  let verb = createProgram(fakeTerminal().terminal);
  const words = (command.split(/[,:;(\\]/)[0] ?? '').trim().split(/\s+/);
  let depth = 0;
  for (const word of words) {
    const child = verb.commands.find((each) => each.name() === word.replace(/[.?]$/, ''));
    if (child === undefined) break;
    verb = child;
    depth++;
  }
  const isGroup = verb.commands.length > 0 && verb.options.length === 0;
  const next = words[depth];
  if (words[0] === '--version') return undefined;
  if (depth === 0 || (isGroup && next !== undefined && /^[a-z]/.test(next))) return command;
  const flags = words.filter((word) => /^-./.test(word)).map((word) => word.replace(/[=.?].*$/, ''));
  const known = [...verb.options.flatMap(({ long, short }) => [long, short]), '--help', '-h', '--version', '-V'];
  return flags.every((flag) => known.includes(flag)) ? undefined : command;
}
