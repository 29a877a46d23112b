import type { Observation } from '../../fact-set.ts';
import { looksLikeSecret, secretInArguments } from '../../secret-shapes.ts';
import type { Document } from '../document.ts';
import { observe } from '../observe.ts';
import type { Inspected } from './inspected.ts';

const SHELL = /(^|\/)(sh|bash|dash|ash|zsh|ksh|busybox)$/;
const IMMUTABLE = /(^|@)(sha256:)?[0-9a-f]{64}$/;

type ProgramFact = `container.${
  | 'role'
  | 'platform'
  | 'image'
  | 'imagePinned'
  | 'healthcheck'
  | 'healthcheckShell'
  | 'health'
  | 'running'
  | 'secretsInEnvironment'
  | 'environment'
  | 'secretsInCommand'
  | 'labelled'
  | 'specDrift'}`;

/** What a container is, what it runs, and how that is doing. */
export function programFacts(container: Inspected): Record<ProgramFact, Observation> {
  const { document, engine, role } = container;
  const config = document.in('Config');
  return {
    'container.role': { value: role },
    'container.platform': { value: engine },
    'container.image': observe(() => config.in('Image').text()),
    'container.imagePinned': observe(() => isPinned(container)),
    'container.healthcheck': observe(() => healthTest(config).length > 0),
    'container.healthcheckShell': observe(() => runsShell(healthTest(config))),
    'container.health': health(document),
    'container.running': observe(() => document.in('State', 'Running').flag()),
    'container.secretsInEnvironment': observe(() =>
      environmentOf(config)
        .filter(([name, value]) => looksLikeSecret(name, value))
        .map(([name]) => name),
    ),
    'container.environment': observe(() => environmentOf(config).map(([name]) => name)),
    'container.secretsInCommand': observe(() =>
      secretInArguments([document.in('Path').textOr(''), ...document.in('Args').texts()], looksLikeSecret),
    ),
    'container.labelled': observe(() => isLabelled(container)),
    'container.specDrift': observe(() => hasDrifted(container)),
  };
}

/** Podman gives the name of an image whatever it was started by: there the id that the node's configuration pins decides. */
function isPinned({ engine, document, role, context }: Inspected): boolean {
  if (IMMUTABLE.test(document.in('Config', 'Image').text())) return true;
  if (engine === 'docker') return false;
  const wanted = context.imageIds?.[role];
  if (wanted === undefined) throw new Error('Podman does not tell by which reference it was started');
  return document.in('Image').text() === wanted;
}

export function environmentOf(config: Document): (readonly [string, string])[] {
  return config
    .in('Env')
    .texts()
    .map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? ([entry, ''] as const) : ([entry.slice(0, at), entry.slice(at + 1)] as const);
    });
}

/** Empty where there is none, or it is switched off. */
export function healthTest(config: Document): string[] {
  const test = config.in('Healthcheck', 'Test').texts();
  return test[0] === 'NONE' ? [] : test;
}

export function runsShell(command: readonly string[]): boolean {
  return command[0] === 'CMD-SHELL' || SHELL.test(command[command[0] === 'CMD' ? 1 : 0] ?? '');
}

function health(document: Document): Observation {
  const state = document.in('State');
  try {
    if (!state.in('Running').flag()) return { absent: 'it does not run' };
  } catch {
    // The observation below says what is wrong.
  }
  return observe(() => {
    if (healthTest(document.in('Config')).length === 0) return 'none';
    return state.in('Health', 'Status').textOr('') || 'starting';
  });
}

function isLabelled({ document, node, role }: Inspected): boolean {
  const labels = document.in('Config', 'Labels');
  const value = (name: string): string => labels.in(name).textOr('');
  return (
    value(node.labels.node) === node.nodeId &&
    value(node.labels.role) === role &&
    value(node.labels.version) !== '' &&
    value(node.labels.spec) !== ''
  );
}

function hasDrifted({ document, node, role, context }: Inspected): boolean {
  const wanted = context.specs?.[role];
  if (wanted === undefined) throw new Error('what this program would make of the configuration is not known');
  return document.in('Config', 'Labels', node.labels.spec).textOr('') !== wanted;
}
