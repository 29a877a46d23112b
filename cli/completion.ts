import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** One place in the command tree: what may follow the words typed so far. */
export interface CompletionNode {
  /** `` for the program, `keys rotate` for a verb. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly description: string }[];
  /** Options whose next word is a file or one of a list. */
  readonly values: readonly { readonly option: string; readonly choices: readonly string[] | 'file' | 'none' }[];
  readonly takesFiles: boolean;
}

/** The tree as commander has it: a new verb or option completes without another word. */
export function completionNodes(command: Command, path = ''): CompletionNode[] {
  const verbs = command.commands.filter((child) => !isHidden(child));
  const options = command.options.filter((option) => !option.hidden);
  const words = [
    ...verbs.map((child) => ({ word: child.name(), description: child.summary() })),
    ...options.flatMap((option) => namesOf(option).map((word) => ({ word, description: option.description }))),
    { word: '--help', description: 'show the help' },
  ];
  const values = options
    .filter((option) => option.required || option.optional)
    .flatMap((option) => namesOf(option).map((name) => ({ option: name, choices: valuesOf(option) })));
  const takesFiles = command.registeredArguments.some((argument) => /file|folder/.test(argument.name()));
  const children = verbs.flatMap((child) =>
    completionNodes(child, path === '' ? child.name() : `${path} ${child.name()}`),
  );
  return [{ path, words, values, takesFiles }, ...children];
}

function isHidden(command: Command): boolean {
  return (command as Command & { _hidden?: boolean })._hidden === true;
}

function namesOf(option: Option): string[] {
  return [option.short, option.long].filter((name) => name !== undefined);
}

function valuesOf(option: Option): readonly string[] | 'file' | 'none' {
  if (option.argChoices !== undefined) return option.argChoices;
  return /<(file|dir|path)/.test(option.flags) ? 'file' : 'none';
}

/** The script that a shell sources: see `nectar-byon completion --help`. */
export function renderCompletion(program: Command, shell: Shell): string {
  const nodes = completionNodes(program);
  if (shell === 'bash') return renderBash(nodes);
  if (shell === 'zsh') return `#compdef nectar-byon\nautoload -U +X bashcompinit && bashcompinit\n${renderBash(nodes)}`;
  return renderFish(nodes);
}

function renderBash(nodes: readonly CompletionNode[]): string {
  const cases = nodes.map(
    (node) =>
      `    '${node.path}') words='${node.words.map(({ word }) => word).join(' ')}' files=${node.takesFiles ? 1 : 0} ;;`,
  );
  const values = nodes.flatMap((node) =>
    node.values.map(({ option, choices }) => {
      const reply =
        choices === 'file'
          ? 'compopt -o default; return'
          : choices === 'none'
            ? 'return'
            : `words='${choices.join(' ')}'; only=1`;
      return `    '${node.path}:${option}') ${reply} ;;`;
    }),
  );
  return `_nectar_byon() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' files=0 only=0 word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path:$prev" in
${values.join('\n')}
  esac
  if [ "$only" = 0 ]; then case "$path" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ "$files" = 1 ]; then compopt -o default; case $cur in -*) ;; *) COMPREPLY=() ;; esac; fi
}
complete -F _nectar_byon nectar-byon ./nectar-byon
`;
}

function renderFish(nodes: readonly CompletionNode[]): string {
  const lines = nodes.flatMap((node) => {
    const steps = node.path === '' ? [] : node.path.split(' ');
    const deeper = nodes.filter(
      ({ path }) => path !== node.path && path.startsWith(node.path === '' ? '' : `${node.path} `),
    );
    const next = [...new Set(deeper.map(({ path }) => path.split(' ')[steps.length] ?? ''))].join(' ');
    const seen = steps.map((step) => `__fish_seen_subcommand_from ${step}`);
    const notYet = next === '' ? [] : [`not __fish_seen_subcommand_from ${next}`];
    const when = [...seen, ...notYet].join('; and ') || 'true';
    return node.words.map(({ word, description }) => {
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-s ${word.slice(1)}`
          : `-f -a ${word}`;
      const taken = node.values.find(({ option }) => option === word)?.choices;
      const value =
        taken === undefined
          ? ''
          : taken === 'file'
            ? ' -r -F'
            : taken === 'none'
              ? ' -x'
              : ` -x -a '${taken.join(' ')}'`;
      return `complete -c nectar-byon -n '${when}' ${what}${value} -d '${description.replaceAll("'", "\\'")}'`;
    });
  });
  return `${lines.join('\n')}\n`;
}
