import { findClusterTarget } from './cluster-target.ts';

/** Where kubectl, helm and the credential helpers are found, and what they read of the user. */
const NAMES = ['PATH', 'HOME', 'KUBECONFIG'] as const;

/**
 * What a run that a scheduler starts needs to reach a node in a cluster: cron and systemd give it a short PATH, without /usr/local/bin,
 * and systemd gives root no HOME. Of a node that runs elsewhere nothing. None of these variables is secret.
 */
export function toolEnvironment(
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  if (findClusterTarget(home) === undefined) return {};
  const found = NAMES.flatMap((name): [string, string][] => {
    const value = env[name];
    return value === undefined || value === '' || hasControl(value) ? [] : [[name, value]];
  });
  return Object.fromEntries(found);
}

/** A line end in it would end the line of a crontab. */
function hasControl(value: string): boolean {
  return [...value].some((letter) => letter < ' ' || letter === '\u007f');
}
