import type { Document } from '../document.ts';

/** `name=seccomp,profile=default`: what follows the name. */
export function securityOption(info: Document, name: string): string | undefined {
  const found = info
    .in('SecurityOptions')
    .texts()
    .find((option) => option.split(',')[0] === `name=${name}`);
  return found?.slice(`name=${name}`.length).replace(/^,/, '');
}

export function isRootless(info: Document): boolean {
  return securityOption(info, 'rootless') !== undefined || info.in('Rootless').flagOr(false);
}
