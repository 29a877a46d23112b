import type { Observation } from '../../fact-set.ts';
import type { FactValue } from '../../fact-type.ts';
import { forEach, observe } from '../observe.ts';
import { type Daemon, readDaemon } from './daemon.ts';
import type { EngineAnswers } from './engine-answers.ts';
import { assertSameMachine } from './engine-files.ts';
import { securityOption } from './security-options.ts';

const OF_DAEMON = [
  'engine.userlandProxy',
  'engine.iptables',
  'engine.logLevel',
  'engine.defaultUlimits',
  'engine.noNewPrivilegesDefault',
  'engine.tcpListeners',
  'engine.tcpTlsVerified',
  'engine.contentTrust',
] as const;

/** What Docker's API does not tell of its daemon: from the daemon's flags and file, where it runs on this machine. */
export function daemonFacts(answers: EngineAnswers): Record<(typeof OF_DAEMON)[number], Observation> {
  const { engine, info, machine } = answers;
  if (engine === 'podman') return forEach(OF_DAEMON, { absent: 'Podman has no daemon' });
  const ask = (read: (daemon: Daemon) => FactValue): Observation =>
    observe(() => {
      assertSameMachine(answers);
      return read(readDaemon(machine));
    });
  return {
    'engine.userlandProxy': ask((daemon) => daemon.flag('userland-proxy', true)),
    'engine.iptables': ask((daemon) => daemon.flag('iptables', true)),
    'engine.logLevel': ask((daemon) => daemon.text('log-level') ?? 'info'),
    'engine.defaultUlimits': ask((daemon) => daemon.hasAny('default-ulimit', 'default-ulimits')),
    'engine.noNewPrivilegesDefault': ask(
      (daemon) => securityOption(info, 'no-new-privileges') !== undefined || daemon.flag('no-new-privileges', false),
    ),
    'engine.tcpListeners': ask((daemon) => daemon.tcpListeners()),
    'engine.tcpTlsVerified': ask((daemon) => daemon.tcpListeners().length === 0 || daemon.flag('tlsverify', false)),
    // Its daemon verifies no signatures, whatever a client does (DOCKER_CONTENT_TRUST).
    'engine.contentTrust': { value: false },
  };
}
