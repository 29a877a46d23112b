import type { NodeSpec } from '../../../../cli/provision/docker/desired-state.ts';

const perRole = <T>(value: (role: string) => T) => ({
  gateway: value('gateway'),
  store: value('store'),
  audit: value('audit'),
  rollup: value('rollup'),
});

/** A node as its home would say it. */
export function exampleSpec(changes: Partial<NodeSpec> = {}): NodeSpec {
  return {
    nodeId: '0123456789abcdef0123456789abcdef',
    version: '1.2.3',
    images: perRole((role) => `sha256:${Buffer.from(role).toString('hex').padEnd(64, '0')}`),
    seccomp: perRole((role) => JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [], role })),
    configDigests: perRole((role) => `digest of ${role}`),
    gateway: { host: '192.0.2.7', port: 8443 },
    p2p: { host: '0.0.0.0', port: 4640 },
    keyFile: '/vault/root.key',
    ...changes,
  };
}
