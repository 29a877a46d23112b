import type { ImageRole } from '../role-specs.ts';
import { ABSENT, ALLOWED } from './calls.ts';

/** A rule of a profile, as Docker, Podman and (as a localhost profile) Kubernetes read it. */
interface Rule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly Argument[];
  readonly comment: string;
}

interface Argument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ';
}

export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly syscalls: readonly Rule[];
}

const EPERM = 1;
const ENOSYS = 38;
const AF_UNIX = 1;
/** Linux address families: IPv4, IPv6, and netlink, by which the C library lists interfaces before it resolves a name. */
const NETWORK_FAMILIES = { AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16 };
const HAS_NETWORK: Readonly<Record<ImageRole, boolean>> = { gateway: true, store: false, audit: false, rollup: true };

/** CLONE_VM and CLONE_THREAD, and all flags that make a namespace. */
const THREAD_FLAGS = 0x0001_0100;
const NAMESPACE_FLAGS = 0x7e02_0000;
/** What libuv and the C library ask of a descriptor: terminal or not, its size, non-blocking, close-on-exec, bytes at hand. */
const IOCTLS = {
  TCGETS: 0x5401,
  TIOCGWINSZ: 0x5413,
  FIONREAD: 0x541b,
  FIONBIO: 0x5421,
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
};

/**
 * The allow-list of a role: what is not named fails with EPERM. Narrower than Docker's default profile in every rule (tested call by
 * call in a container): threads but no child process, no namespaces, no io_uring, few ioctls, no 32-bit calls; store and audit can
 * open no socket but a Unix one, should a network ever be attached by mistake.
 */
export function seccompProfile(role: ImageRole): SeccompProfile {
  const families = { AF_UNIX, ...(HAS_NETWORK[role] && NETWORK_FAMILIES) };
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ],
    syscalls: [
      ...ALLOWED.map(({ why, names }) => allow([...names].sort(), why)),
      ...Object.entries(families).map(([name, value]) => allow(['socket'], name, equal(0, value))),
      ...Object.entries(IOCTLS).map(([name, value]) => allow(['ioctl'], name, equal(1, value))),
      allow(['clone'], 'a thread of this process, in its namespaces', {
        index: 0,
        value: NAMESPACE_FLAGS + THREAD_FLAGS,
        valueTwo: THREAD_FLAGS,
        op: 'SCMP_CMP_MASKED_EQ',
      }),
      { names: ABSENT.names, action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, comment: ABSENT.why },
    ],
  };
}

function allow(names: readonly string[], comment: string, argument?: Argument): Rule {
  return { names, action: 'SCMP_ACT_ALLOW', ...(argument !== undefined && { args: [argument] }), comment };
}

function equal(index: number, value: number): Argument {
  return { index, value, op: 'SCMP_CMP_EQ' };
}
