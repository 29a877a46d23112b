import { NectarError } from '../../../protocol/errors.ts';
import type { EngineCalls } from './engine-calls.ts';

/** Docker 20.10 and Podman 4 answer to it: private cgroup namespaces, one-shot statistics. */
const MIN_API_VERSION = '1.40';

/** What matters of an engine, in numbers and names. */
export interface EngineFacts {
  readonly kind: 'docker' | 'podman';
  readonly version: string;
  readonly apiVersion: string;
  readonly storageDriver: string;
  readonly cgroupVersion: string;
  readonly rootless: boolean;
  /** Users in containers are others on the machine (userns-remap). */
  readonly remapped: boolean;
  readonly seccomp: boolean;
  readonly operatingSystem: string;
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Where the engine keeps images and volumes, on its own machine. */
  readonly rootFolder: string;
  /** The engine's clock, milliseconds since 1970; undefined where it tells none. */
  readonly clock: number | undefined;
  /** Memory, pids or CPU limits that its kernel cannot enforce, in its own words. */
  readonly warnings: readonly string[];
}

interface Info {
  readonly Driver?: string;
  readonly CgroupVersion?: string;
  readonly SecurityOptions?: readonly string[];
  readonly OperatingSystem?: string;
  readonly Architecture?: string;
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly DockerRootDir?: string;
  readonly SystemTime?: string;
  readonly Warnings?: readonly string[] | null;
}

interface Version {
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

/** @throws NectarError CLI_ENGINE_TOO_OLD, CLI_ENGINE_UNREACHABLE, CLI_ENGINE_REFUSED */
export async function readFacts({ docker, must }: EngineCalls, engine: string): Promise<EngineFacts> {
  const version: Version = await must('asking for its version', () => docker.version());
  const apiVersion = version.ApiVersion ?? '0';
  if (isOlder(apiVersion, MIN_API_VERSION)) {
    throw new NectarError('CLI_ENGINE_TOO_OLD', { engine, apiVersion, minimum: MIN_API_VERSION });
  }
  const info = (await must('asking for its facts', () => docker.info())) as Info;
  const podman = version.Components?.some(({ Name }) => /podman/i.test(Name)) === true;
  const security = info.SecurityOptions ?? [];
  const clock = Date.parse(info.SystemTime ?? '');
  return {
    kind: podman ? 'podman' : 'docker',
    version: version.Version ?? 'unknown',
    apiVersion,
    storageDriver: info.Driver ?? 'unknown',
    cgroupVersion: info.CgroupVersion ?? '1',
    rootless: security.some((option) => option.includes('name=rootless')),
    remapped: security.some((option) => option.includes('name=userns')),
    seccomp: security.some((option) => option.includes('name=seccomp')),
    operatingSystem: info.OperatingSystem ?? 'unknown',
    architecture: info.Architecture ?? 'unknown',
    cpus: info.NCPU ?? 0,
    memoryBytes: info.MemTotal ?? 0,
    rootFolder: info.DockerRootDir ?? '',
    clock: Number.isNaN(clock) ? undefined : clock,
    warnings: (info.Warnings ?? []).filter((text) => /limit|pids|cpu|swap/i.test(text)),
  };
}

export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = than.split('.').map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
