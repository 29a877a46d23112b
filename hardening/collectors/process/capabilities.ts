/** By bit, of include/uapi/linux/capability.h. */
const NAMES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
];

/** Names of the capabilities in a mask as /proc writes it; a bit that has no name yet by its number. */
export function capabilityNames(mask: string): string[] {
  if (!/^[0-9a-f]{1,16}$/i.test(mask)) throw new Error(`${mask} is no set of capabilities`);
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: 64 }, (_none, bit) => bit)
    .filter((bit) => (bits & (1n << BigInt(bit))) !== 0n)
    .map((bit) => NAMES[bit] ?? `BIT_${bit}`);
}
