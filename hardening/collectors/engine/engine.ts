import type { Observation } from '../../fact-set.ts';
import type { FactIdOf } from '../../facts/index.ts';
import type { Collector } from '../collector.ts';
import { type Document, openDocument } from '../document.ts';
import type { EngineApi } from '../engine-api.ts';
import { readEngineKind } from '../engine-kind.ts';
import { BETWEEN_CONTAINERS } from '../networks.ts';
import { type FactsOf, observe } from '../observe.ts';
import { daemonFacts } from './daemon-facts.ts';
import type { EngineAnswers } from './engine-answers.ts';
import { engineFileFacts } from './engine-files.ts';
import { type MachineFiles, machineFiles } from './machine-files.ts';
import { isRootless, securityOption } from './security-options.ts';

const LOCAL_REGISTRIES = ['127.0.0.0/8', '::1/128', '::1'];

/** The container engine as it describes itself, and where it runs on this machine, its socket and its daemon. */
export interface EngineOptions {
  readonly api: EngineApi;
  /** Undefined for an engine that is reached over TCP. */
  readonly socketPath: string | undefined;
  /** This machine's, unless told. */
  readonly machine?: MachineFiles;
}

/** What looking at the other containers adds (guests.ts). */
export type AddedByGuests = 'engine.socketGuests' | 'engine.rulingGuests';

export function createEngineCollector({ api, socketPath, machine = machineFiles }: EngineOptions): Collector {
  return {
    name: 'engine',
    kinds: ['engine'],
    privilege: "read access to the engine's API; its files, its daemon's arguments and sockets: root on its machine",
    async collect(signal) {
      const engine = await readEngineKind(api, signal);
      const info = openDocument(await api.getJson('/info', signal));
      const version = openDocument(await api.getJson('/version', signal));
      const found = engine === 'docker' ? openDocument(await api.getJson('/networks/bridge', signal)) : undefined;
      const bridge = found?.isAbsent === false ? found : undefined;
      return [
        {
          kind: 'engine',
          name: 'engine',
          facts: engineFacts({ engine, info, version, bridge, socketPath, machine }),
        },
      ];
    },
  };
}

/** Pure but for the machine's files. */
export function engineFacts(answers: EngineAnswers): FactsOf<'engine', AddedByGuests> {
  return { ...selfFacts(answers), ...settingFacts(answers), ...daemonFacts(answers), ...engineFileFacts(answers) };
}

function selfFacts({ engine, info, version }: EngineAnswers) {
  const option = (name: string): Observation => observe(() => securityOption(info, name) !== undefined);
  return {
    'engine.kind': { value: engine },
    'engine.version': observe(() => version.in('Version').text()),
    'engine.apiVersion': observe(() => version.in('ApiVersion').text()),
    'engine.rootless': observe(() => isRootless(info)),
    'engine.userNamespaces': observe(() => isRootless(info) || securityOption(info, 'userns') !== undefined),
    'engine.seccomp': option('seccomp'),
    'engine.seccompProfile': observe(() => {
      const profile = /(?:^|,)profile=(.*)$/.exec(securityOption(info, 'seccomp') ?? '')?.[1];
      // Docker's word for its own changed with version 23.
      if (profile === undefined) throw new Error('the engine does not tell its default profile');
      return profile === 'builtin' ? 'default' : profile;
    }),
    'engine.appArmor': option('apparmor'),
    'engine.selinux': option('selinux'),
    'engine.storageDriver': observe(() => info.in('Driver').text()),
    'engine.cgroupVersion': observe(() => Number(info.in('CgroupVersion').textOr('1'))),
    'engine.warnings': observe(() => info.in('Warnings').texts()),
  } satisfies Partial<Record<FactIdOf<'engine'>, Observation>>;
}

function settingFacts({ engine, info, bridge }: EngineAnswers) {
  const ofDocker = (read: () => ReturnType<Document['flag']> | string | string[]): Observation =>
    engine === 'podman' ? { absent: 'Podman has no daemon with such a setting' } : observe(read);
  return {
    'engine.liveRestore': ofDocker(() => info.in('LiveRestoreEnabled').flag()),
    'engine.insecureRegistries': observe(() => insecureRegistries(info.in('RegistryConfig'))),
    'engine.experimental': ofDocker(() => info.in('ExperimentalBuild').flag()),
    'engine.debug': observe(() => info.in('Debug').flag()),
    'engine.swarm': observe(() => !['', 'inactive'].includes(info.in('Swarm', 'LocalNodeState').textOr(''))),
    'engine.iccDefaultBridge': ofDocker(() => {
      if (bridge === undefined) throw new Error('the engine has no default bridge');
      return bridge.in('Options', BETWEEN_CONTAINERS).textOr('true') !== 'false';
    }),
    'engine.logDriver': ofDocker(() => info.in('LoggingDriver').text()),
    'engine.authorizationPlugins': ofDocker(() => info.in('Plugins', 'Authorization').texts()),
  } satisfies Partial<Record<FactIdOf<'engine'>, Observation>>;
}

function insecureRegistries(registries: Document): string[] {
  const named = registries
    .in('IndexConfigs')
    .entries()
    .filter(([, index]) => !index.in('Secure').flag())
    .map(([name]) => name);
  return [...registries.in('InsecureRegistryCIDRs').texts(), ...named].filter(
    (registry) => !LOCAL_REGISTRIES.includes(registry) && !/^(127\.[\d.]+|localhost)(:\d+)?$/.test(registry),
  );
}
