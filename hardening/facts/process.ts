import { type FactDefinition, integer, set, text, yes } from './definition.ts';

/** Of the main process of each role while it runs: what its kernel says in /proc, not what was asked for. */
export const PROCESS_FACTS = {
  'process.role': text('Role: gateway, store, audit, rollup, or all in one process.'),
  'process.uids': set('Real, effective, saved and file-system user ids, each once.'),
  'process.root': yes('Whether any of its user or group ids is 0.'),
  'process.groups': set('Supplementary group ids.'),
  'process.capabilitiesEffective': set('Effective capabilities, without CAP_.'),
  'process.capabilitiesPermitted': set('Permitted capabilities.'),
  'process.capabilitiesInheritable': set('Inheritable capabilities.'),
  'process.capabilitiesBounding': set('Bounding set.'),
  'process.capabilitiesAmbient': set('Ambient capabilities.'),
  'process.noNewPrivs': yes('NoNewPrivs.'),
  'process.seccompMode': integer('Seccomp: 0 off, 1 strict, 2 filter.'),
  'process.seccompFilters': integer('How many seccomp filters are in force.'),
  'process.appArmor': text('AppArmor label of the process (attr/current); empty where the kernel has none.'),
  'process.rootReadOnly': yes('Whether / in its mount namespace is read-only.'),
  'process.writableMounts': set(
    'Mount points that it may write, other than in-memory ones of the kernel (/proc, /sys, /dev and below).',
  ),
  'process.execWritableMounts': set('Writable mount points without noexec.'),
  'process.hostNamespaces': set(
    "Namespaces that it shares with its host's first process: mnt, pid, net, ipc, uts, user, cgroup.",
  ),
  'process.networkInterfaces': set('Network interfaces that it sees.'),
  'process.tcpListeners': set('TCP sockets that it listens on, as ADDRESS:PORT.'),
  'process.udpSockets': set('Bound UDP sockets, as ADDRESS:PORT.'),
  'process.openFilesSoft': integer('Soft limit of open files.'),
  'process.coreLimitBytes': integer('Soft limit of the size of a core dump in bytes; -1 for unlimited.'),
  'process.lockedMemoryBytes': integer('Memory that is locked (VmLck), bytes.'),
  'process.swappedBytes': integer('Memory that is swapped out (VmSwap), bytes.'),
  'process.traced': yes('Whether a debugger is attached (TracerPid).'),
  'process.debugPort': yes('Whether Node listens for a debugger (--inspect).'),
  'process.secretsInEnvironment': set('Names of environment variables whose name or value looks like a secret.'),
  'process.secretsInArguments': yes('Whether its arguments hold what looks like a secret.'),
  'process.executableWritable': yes('Whether it may write the files of its own program.'),
  'process.deletedExecutable': yes(
    'Whether the program that it runs was removed or replaced on disk since it started.',
  ),
  'process.children': set('Programs of its child processes.'),
  'process.strangers': set(
    'Programs in its process namespace that it did not start and that are none of its own (an exec from outside), as NAME (uid UIDS).',
  ),
  'process.threads': integer('Threads.'),
  'process.memoryBytes': integer('Resident memory in bytes.'),
  'process.umask': integer('Mask of the modes of new files.'),
  'process.nodeVersion': text('Version of Node that runs it.'),
  'process.nodeOptions': set(
    'Flags that weaken the runtime: --inspect, --insecure-http-parser, --allow-natives-syntax, NODE_TLS_REJECT_UNAUTHORIZED=0, ...',
  ),
  'process.injectedCode': set(
    'What loads code that is not of the program into it: LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH, /etc/ld.so.preload, --require, --import, --loader.',
  ),
} as const satisfies Record<`process.${string}`, FactDefinition>;
