/** Calls that are allowed whatever their arguments, by what needs them. Every name is in Docker's own default profile too. */
export interface CallGroup {
  readonly why: string;
  readonly names: readonly string[];
}

/**
 * Seen under `strace -f -c` of a node that did everything: started, unlocked, sealed and read blobs, scrubbed, rotated keys, appended
 * and verified its log, followed the chain, gossiped, was killed, recovered and stopped.
 */
const OBSERVED: readonly CallGroup[] = [
  {
    why: 'memory: the loader, V8 heap and code, WebAssembly',
    names: ['brk', 'madvise', 'mmap', 'mprotect', 'munmap'],
  },
  {
    why: 'threads of libuv and V8; their locks, stacks and priorities are read, not set',
    names: [
      ['arch_prctl', 'futex', 'gettid', 'rseq', 'sched_getaffinity', 'sched_getparam', 'sched_getscheduler'],
      ['set_robust_list', 'set_tid_address', 'prctl'],
    ].flat(),
  },
  {
    why: 'signals',
    names: ['rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn'],
  },
  {
    why: 'the process itself; execve is how the container starts its program',
    names: [
      ['capget', 'clock_nanosleep', 'execve', 'getegid', 'geteuid', 'getgid', 'getpid', 'getppid', 'getrandom'],
      ['getrusage', 'getuid', 'prlimit64', 'sysinfo', 'uname'],
    ].flat(),
  },
  {
    why: 'events and pipes of libuv',
    names: ['epoll_create1', 'epoll_ctl', 'epoll_pwait', 'eventfd2', 'pipe2'],
  },
  {
    why: 'files: bundles, blobs, the index (LevelDB), the log, durable renames',
    names: [
      [
        'access',
        'close',
        'fcntl',
        'fdatasync',
        'fstat',
        'fsync',
        'ftruncate',
        'getcwd',
        'getdents64',
        'lseek',
        'mkdir',
      ],
      [
        'newfstatat',
        'openat',
        'pread64',
        'pwrite64',
        'pwritev',
        'read',
        'readlink',
        'rename',
        'rmdir',
        'stat',
        'statfs',
      ],
      ['statx', 'unlink', 'write', 'writev'],
    ].flat(),
  },
  {
    why: 'connections: Unix sockets everywhere; `socket` itself is restricted by role',
    names: [
      ['accept4', 'bind', 'connect', 'getpeername', 'getsockname', 'getsockopt', 'listen', 'setsockopt', 'shutdown'],
    ].flat(),
  },
];

/** Not seen on the machine where we looked, but what the same code calls on another kernel, C library, processor or path. */
const ELSEWHERE: readonly CallGroup[] = [
  {
    why: 'arm64 has only the *at forms, and newer C libraries use them everywhere',
    names: [
      'faccessat',
      'faccessat2',
      'fchmodat',
      'mkdirat',
      'ppoll',
      'readlinkat',
      'renameat',
      'renameat2',
      'unlinkat',
    ],
  },
  {
    why: 'older forms of what libuv and LevelDB call; x86-64 only',
    names: ['chmod', 'epoll_wait', 'lstat', 'open', 'poll', 'sendfile'],
  },
  {
    why: 'time, where the kernel gives it by a call (virtual machines without a usable clock source for the vDSO)',
    names: ['clock_getres', 'clock_gettime', 'gettimeofday', 'time'],
  },
  {
    why: 'V8 and the C library under memory pressure',
    names: ['getcpu', 'membarrier', 'mincore', 'mremap', 'sched_yield'],
  },
  {
    why: 'ends and errors: abort, a crash, a signal resumed, a thread that ends',
    names: ['exit', 'exit_group', 'kill', 'restart_syscall', 'sigaltstack', 'tgkill'],
  },
  {
    why: 'fs functions of Node that our code calls on some paths (copying, modes, times, vectors, free space)',
    names: ['copy_file_range', 'fallocate', 'fchmod', 'fstatfs', 'preadv', 'umask', 'utimensat'],
  },
  {
    why: 'socket reads and writes: libuv takes these for datagrams and peers that pass credentials, the C library for DNS',
    names: ['recvfrom', 'recvmsg', 'recvmmsg', 'sendmmsg', 'sendmsg', 'sendto'],
  },
];

export const ALLOWED: readonly CallGroup[] = [...OBSERVED, ...ELSEWHERE];

/** ENOSYS and not EPERM: the C library and libuv then take the older call, as on a kernel that never had this one. */
export const ABSENT: CallGroup = {
  why: 'clone3 hides its flags from any filter; io_uring goes past every filter',
  names: ['clone3', 'io_uring_enter', 'io_uring_register', 'io_uring_setup'],
};
