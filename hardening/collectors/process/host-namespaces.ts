import type { HostNamespaces } from './process-facts.ts';
import { NAMESPACES } from './raw-process.ts';
import type { ProcFiles } from './read-process.ts';

/** What the kernel numbers its first namespaces with, since 3.8 (include/linux/proc_ns.h). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const FIRST_USER_NAMESPACE = 'user:[4026531837]';

/**
 * The namespaces of this machine's first process. Where they may not be read (a process with more capabilities than ours), our own,
 * provided that we run on the machine itself and in no container.
 */
export function readHostNamespaces(fs: Pick<ProcFiles, 'readFileSync' | 'readlinkSync'>): HostNamespaces {
  const linksOf = (pid: string): Record<string, string> =>
    Object.fromEntries(NAMESPACES.map((name) => [name, fs.readlinkSync(`/proc/${pid}/ns/${name}`)]));
  try {
    const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const self = linksOf('self');
    if (self.pid !== FIRST_PID_NAMESPACE || self.user !== FIRST_USER_NAMESPACE) {
      return { error: 'this program itself runs in a container' };
    }
    try {
      return { value: { bootId, namespaces: linksOf('1') } };
    } catch {
      return { value: { bootId, namespaces: self } };
    }
  } catch (error) {
    return { error: (error as Error).message };
  }
}
