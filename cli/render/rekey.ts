import type { RekeyState } from '../../appliance/gateway/key-schemas.ts';

/** One line: how far it has come, and what to do about it. */
export function describeRekey(rekey: RekeyState): string {
  const { state, target, total, done, failed, load, reason, endedAt } = rekey;
  const far = `${done} of ${total} versions are under ${target} or newer keys`;
  switch (state) {
    case 'running':
      return `${far}; works ${load} % of the time`;
    case 'paused':
      return `${far}; stopped. \`nectar-byon keys rekey\` goes on`;
    case 'failed':
      return `${far}; stopped by ${reason ?? 'an error'}. \`nectar-byon keys rekey\` goes on`;
    case 'incomplete':
      return `${far}; ${failed} could not be sealed anew, so the older keys are kept. \`nectar-byon scrub\` names them`;
    case 'done':
      return `${far}; the older keys are destroyed${endedAt === undefined ? '' : ` (${endedAt})`}`;
  }
}
