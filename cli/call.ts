import { type Command, Option } from 'commander';
import { homeFolder } from './home-folder.ts';
import { createOutput, type Output } from './render/output.ts';
import type { Terminal } from './terminal.ts';

/** One invocation of a verb: its options and operands, the home it is about, and where its results go. */
export interface Call<O> {
  readonly options: O;
  readonly operands: readonly string[];
  readonly home: string;
  readonly terminal: Terminal;
  readonly output: Output;
  readonly command: Command;
}

export interface VerbDescription {
  readonly summary: string;
  /** Shown by --help, one a line, without the program's name. */
  readonly examples: readonly string[];
  /** Longer text of --help. */
  readonly about?: string;
  readonly hidden?: boolean;
}

/** Adds a verb to the tree, with `--home`, `--json` and its examples. */
export function addVerb(parent: Command, usage: string, description: VerbDescription): Command {
  const verb = parent.command(usage, { hidden: description.hidden === true });
  verb.summary(description.summary);
  verb.description(
    description.about === undefined ? description.summary : `${description.summary}\n\n${description.about}`,
  );
  verb.addOption(new Option('--home <dir>', 'folder of the node (default: NECTAR_HOME, else your data folder)'));
  verb.addOption(new Option('--json', 'print JSON; errors too, on stderr'));
  const examples = description.examples
    .map((line) => `  $ ${line.includes('| nectar-byon') ? '' : 'nectar-byon '}${line}`)
    .join('\n');
  verb.addHelpText('after', `\nExamples:\n${examples}`);
  return verb;
}

/** Adds a verb that only holds others, such as `keys`: on its own it shows its help. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).description(summary).helpCommand(false);
}

/** Makes a commander action from a function of a Call. */
export function action<O>(
  terminal: Terminal,
  handler: (call: Call<O>) => Promise<void>,
): (...received: unknown[]) => Promise<void> {
  return async (...received) => {
    const command = received.at(-1) as Command;
    const options = command.optsWithGlobals() as O & { home?: string; json?: boolean };
    await handler({
      options,
      operands: command.args,
      home: homeFolder(terminal, options.home),
      terminal,
      output: createOutput(terminal, options.json === true),
      command,
    });
  };
}
