import type { LogLevelList } from '../../appliance/gateway/log-level-schemas.ts';
import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Output } from './output.ts';
import { printable, renderFacts } from './table.ts';

type Style = Output['style'];
type Changed = NonNullable<NodeStatus['logLevels']>[number];

/** Lines of `status`: nothing of a node that logs as configured. */
export function logLevelLines({ logLevels }: NodeStatus, style: Style): [string, string][] {
  return (logLevels ?? []).map((changed, index): [string, string] => [
    index === 0 ? 'log level' : '',
    style('yellow', `${describeChange(changed)} (${printable(changed.configured)} configured)`),
  ]);
}

/** Each role: what is configured, and what holds until when. */
export function renderLogLevels({ roles }: LogLevelList, style: Style): string {
  return renderFacts(
    roles.flatMap(({ role, state }): [string, string][] => {
      if (state === undefined) return [[printable(role), style('yellow', 'did not answer: its level is not known')]];
      const { configured, changes, components } = state;
      const lines = changes.map((change) => style('yellow', describeChange({ role, ...change })));
      const facts = [
        `${printable(configured)} (configured)`,
        ...lines,
        `components: ${components.map(printable).join(', ')}`,
      ];
      return facts.map((fact, index) => [index === 0 ? printable(role) : '', fact]);
    }),
  );
}

function describeChange({ role, component, level, until }: Omit<Changed, 'configured'>): string {
  const what = component === undefined ? role : `${role}: ${component}`;
  return `${level} for ${printable(what)} until ${printable(until.slice(0, 19))}Z`;
}
