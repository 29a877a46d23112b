import { Argument, type Command } from 'commander';
import { action, addVerb } from '../call.ts';
import { renderCompletion, SHELLS, type Shell } from '../completion.ts';
import type { Terminal } from '../terminal.ts';

export function registerCompletion(program: Command, terminal: Terminal): void {
  addVerb(program, 'completion', {
    summary: 'print the completion script of your shell',
    examples: [
      'completion bash > ~/.local/share/bash-completion/completions/nectar-byon',
      'completion zsh > ~/.zfunc/_nectar-byon',
      'completion fish > ~/.config/fish/completions/nectar-byon.fish',
    ],
  })
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .action(
      action(terminal, async ({ operands, output }) => {
        const shell = SHELLS.find((name) => name === operands[0]) ?? ('bash' satisfies Shell);
        const script = renderCompletion(program, shell);
        output.result({ shell, script }, script.trimEnd());
      }),
    );
}
