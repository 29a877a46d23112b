import type { ContainerBody } from '../../../cli/provision/docker/engine-containers.ts';

/** What dockerode's types do not know. */
export type Host = NonNullable<ContainerBody['HostConfig']> & { UTSMode?: string; CgroupnsMode?: string };
export type Body = Omit<ContainerBody, 'HostConfig'> & { HostConfig: Host };
