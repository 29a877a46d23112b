import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../../protocol/merkle/audit-leaf.ts';
import type { Observation } from '../../fact-set.ts';
import { openDocument } from '../document.ts';
import { observe } from '../observe.ts';
import { type Inspected, securityOptions } from './inspected.ts';

const MAX_PROFILE_BYTES = 1024 * 1024;
/** A call that is logged is done all the same. */
const LETS_THROUGH = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG'];

type Applied =
  | { readonly kind: 'default' | 'unconfined' }
  | { readonly kind: 'nectar' | 'custom'; readonly profile: unknown };

export function seccompFacts(
  container: Inspected,
): Record<`container.${'seccomp' | 'seccompDefaultAction' | 'seccompCalls'}`, Observation> {
  return {
    'container.seccomp': observe(() => appliedSeccomp(container).kind),
    'container.seccompDefaultAction': observe(() => {
      const found = appliedSeccomp(container);
      return 'profile' in found ? openDocument(found.profile).in('defaultAction').text() : '';
    }),
    'container.seccompCalls': calls(container),
  };
}

function calls(container: Inspected): Observation {
  try {
    const found = appliedSeccomp(container);
    if (!('profile' in found)) return { absent: 'it has no profile of its own' };
    // What it allows besides has no list; that it does, the default action shows.
    if (LETS_THROUGH.includes(openDocument(found.profile).in('defaultAction').text()))
      return { absent: 'it allows every call that it does not name' };
    return observe(() => allowedCalls(found.profile));
  } catch (error) {
    return observe(() => {
      throw error;
    });
  }
}

/** Names of the calls that a profile lets through on any condition. */
function allowedCalls(profile: unknown): string[] {
  return openDocument(profile)
    .in('syscalls')
    .items()
    .filter((rule) => LETS_THROUGH.includes(rule.in('action').text()))
    .flatMap((rule) => rule.in('names').texts());
}

/** Of a profile, whatever the order of its keys and its spaces: SHA-256 of its canonical JSON (RFC 8785). */
export function seccompDigest(profile: object): string {
  return createHash('sha256').update(canonicalBytes(profile)).digest('hex');
}

/** Which filter the container was given. Throws where its text cannot be read. */
export function appliedSeccomp(container: Inspected): Applied {
  const { document, role, context } = container;
  const value = securityOptions(container).find(({ name }) => name === 'seccomp')?.value;
  if (value === 'unconfined') return { kind: 'unconfined' };
  // An engine gives a privileged container no filter unless one is named.
  if (value === undefined || value === '')
    return { kind: document.in('HostConfig', 'Privileged').flag() ? 'unconfined' : 'default' };
  if (value === 'builtin' || value === 'default') return { kind: 'default' };
  const profile = parseProfile(value, context.readProfile);
  return { kind: seccompDigest(profile) === context.seccomp[role] ? 'nectar' : 'custom', profile };
}

function parseProfile(value: string, readProfile: ((path: string) => string) | undefined): object {
  const isText = value.trimStart().startsWith('{');
  if (!isText && readProfile === undefined) throw new Error(`the profile is a file on the engine's machine: ${value}`);
  const text = isText ? value : (readProfile?.(value) ?? '');
  if (text.length > MAX_PROFILE_BYTES) throw new Error('the profile is too long');
  const profile: unknown = JSON.parse(text);
  if (typeof profile !== 'object' || profile === null) throw new Error('the profile is no object');
  return profile;
}
