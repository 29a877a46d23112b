import { ENTRY } from '../entry.ts';
import { quoteWord } from '../schedule/systemd.ts';

export interface NodeService {
  readonly home: string;
  readonly nodeId: string;
  /** A unit of the machine, which root installs; else of the user alone. */
  readonly system: boolean;
  /** Who runs a unit of the machine: the owner of the home. */
  readonly user: string;
  /** A TPM, or a token of PKCS#11, opens the node: it needs devices. */
  readonly devices: boolean;
}

export function serviceName(nodeId: string): string {
  return `nectar-byon-${nodeId.slice(0, 16)}`;
}

/** What any unit can hold a process to, a user's too. */
const EVERYWHERE = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'RestrictNamespaces=yes',
  // Netlink: how a process learns its own addresses.
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'SystemCallArchitectures=native',
  // A JIT compiler writes what it executes, so MemoryDenyWriteExecute cannot be had.
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged @resources @obsolete',
  'SystemCallErrorNumber=EPERM',
  'UMask=0077',
  'KeyringMode=private',
];

/** What needs the system's own manager: namespaces and capabilities. */
const OF_THE_MACHINE = [
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'ProtectSystem=strict',
  'ProtectHome=read-only',
  'PrivateTmp=yes',
  'PrivateUsers=yes',
  'PrivateIPC=yes',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectProc=invisible',
  'RemoveIPC=yes',
];

/** A unit that runs a node in the foreground from the machine's start on, and holds it to what it needs. */
export function nodeUnit({ home, nodeId, system, user, devices }: NodeService): string {
  const command = [process.execPath, ENTRY, 'run', 'all', '--home', home, '--json'].map(quoteWord).join(' ');
  const log = `append:${home.replaceAll('%', '%%')}/logs/node.log`;
  return [
    '[Unit]',
    `Description=Nectar BYON node ${nodeId.slice(0, 8)}`,
    ...(system ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    '',
    '[Service]',
    `ExecStart=${command}`,
    ...(system ? [`User=${user}`] : []),
    `StandardOutput=${log}`,
    `StandardError=${log}`,
    'Environment=NECTAR_DEBUG=1',
    // What a person must mend is not tried again: a configuration, a key, a second process of the same home.
    'Restart=on-failure',
    'RestartPreventExitStatus=2 10 11 12',
    'RestartSec=5',
    'TimeoutStopSec=60',
    ...EVERYWHERE,
    ...(system ? [...OF_THE_MACHINE, `ReadWritePaths=${quotePath(home)}`] : []),
    ...(system ? [devices ? 'DevicePolicy=closed' : 'PrivateDevices=yes'] : []),
    ...(system && devices
      ? ['DeviceAllow=char-tpm rw', 'DeviceAllow=/dev/tpmrm0 rw', 'DeviceAllow=char-usb_device rw']
      : []),
    '',
    '[Install]',
    `WantedBy=${system ? 'multi-user.target' : 'default.target'}`,
    '',
  ].join('\n');
}

function quotePath(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
