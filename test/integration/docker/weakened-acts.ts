import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UIDS } from '../../../cli/provision/docker/role-table.ts';
import type { Weakening } from '../weakened/weakening.ts';
import type { WeakenedStack } from './weakened-stack.ts';

/**
 * What needs none of the node's doors: only who else is on the engine. What is said of the engine as a whole (BYON-ENG-031, 032) has
 * unit tests alone: containers of other tests come and go on it.
 */
const GUESTS = ['node', 'containers', 'guests'];
const PATIENT = JSON.stringify({ resourceType: 'Patient', id: 'weakened', name: [{ family: 'Exposed' }] });

/** What is done to a node that runs, or beside it. */
export const WEAKENED_AROUND: readonly Weakening<WeakenedStack>[] = [
  {
    name: "another's container mounts the store",
    weaken: (stack) =>
      stack.addForeign({ Mounts: [{ Type: 'volume', Source: stack.name('store'), Target: '/mnt', ReadOnly: true }] }),
    fails: ['DAT-012'],
  },
  {
    name: "another's container reaches the keys through a folder of the host",
    weaken: async (stack) => {
      const { Mountpoint } = await stack.docker.getVolume(stack.name('keys')).inspect();
      await stack.addForeign({ Mounts: [{ Type: 'bind', Source: Mountpoint, Target: '/mnt', ReadOnly: true }] });
    },
    fails: ['DAT-012'],
  },
  {
    name: "another's container is on a network of the node",
    weaken: (stack) => stack.addForeign({ NetworkMode: stack.name('lan') }),
    fails: ['NET-002'],
  },
  {
    name: "another's container has the node's folder",
    collectors: GUESTS,
    weaken: (stack) => stack.addForeign({ Mounts: [{ Type: 'bind', Source: stack.home, Target: '/mnt' }] }),
    fails: ['DAT-049'],
  },
  {
    name: "another's container has the folder of the key file",
    collectors: GUESTS,
    weaken: (stack) => stack.addForeign({ Mounts: [{ Type: 'bind', Source: dirname(stack.keyFile), Target: '/mnt' }] }),
    // Where the key file lies in the folder of the node, which the first row of the table tells, it is that folder.
    fails: ['FIL-010'],
  },
  {
    name: "another's container joins the process and network namespaces of the gateway",
    collectors: GUESTS,
    weaken: (stack) => {
      const mode = `container:${stack.name('gateway')}`;
      return stack.addForeign({ PidMode: mode, NetworkMode: mode });
    },
    fails: ['CTR-092'],
  },
  {
    name: 'somebody runs a program as root in the gateway',
    weaken: (stack) => stack.runAsRoot('gateway'),
    fails: ['PRC-052'],
  },
  {
    name: 'the gateway was connected to the network of the peers',
    weaken: async (stack) => {
      const network = stack.docker.getNetwork(stack.name('wan'));
      await network.connect({ Container: stack.name('gateway') });
      stack.onRestore(() => network.disconnect({ Container: stack.name('gateway'), Force: true }));
    },
    fails: ['CTR-051', 'CTR-091', 'NET-004'],
  },
  {
    name: 'containers may talk to each other on a network of the node',
    weaken: (stack) => stack.remakeNetwork('lan', { Options: {} }),
    fails: ['NET-001'],
  },
  {
    name: 'a network of the node has no label',
    weaken: (stack) => stack.remakeNetwork('lan', { Labels: {} }),
    fails: ['NET-006'],
  },
  {
    name: 'a folder of sockets lies on disk',
    weaken: (stack) => stack.remakeVolume('health-gateway', { DriverOpts: {} }),
    fails: ['DAT-013', 'PRC-025'],
  },
  {
    name: 'a volume of the node has no label',
    weaken: (stack) => stack.remakeVolume('health-gateway', { Labels: {} }),
    fails: ['DAT-016'],
  },
  {
    name: 'a place in memory may hold programs',
    weaken: (stack) =>
      stack.remakeVolume('health-gateway', {
        DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `uid=${UIDS.gateway},mode=0700,nosuid,nodev` },
      }),
    fails: ['DAT-014', 'PRC-025'],
  },
  {
    name: 'the audit role was stopped',
    weaken: (stack) => stack.stop('audit'),
    fails: ['CTR-080'],
    otherwise: { 'PRC-015': 'not-applicable', 'PRC-023': 'not-applicable' },
  },
  {
    name: 'a patient lies in the store in plain text',
    collectors: ['node', 'volumes', 'files', 'plaintext'],
    weaken: async (stack) => {
      const path = join(await stack.volumeFolder('store'), 'export.json');
      writeFileSync(path, PATIENT, { mode: 0o600 });
      chownSync(path, UIDS.store, UIDS.store);
      stack.onRestore(() => rmSync(path));
    },
    fails: ['DAT-018', 'DAT-043'],
  },
  {
    name: 'everybody may read an identity',
    collectors: ['node', 'volumes', 'files', 'plaintext'],
    weaken: async (stack) => {
      const path = join(await stack.volumeFolder('keys'), 'identity', 'operator.sealed');
      chmodSync(path, 0o644);
      stack.onRestore(() => chmodSync(path, 0o600));
    },
    fails: ['FIL-001'],
  },
];
