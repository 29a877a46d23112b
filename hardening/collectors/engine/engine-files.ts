import type { Observation } from '../../fact-set.ts';
import type { FactValue } from '../../fact-type.ts';
import { observe } from '../observe.ts';
import { readDaemon } from './daemon.ts';
import type { EngineAnswers } from './engine-answers.ts';
import type { FileState, MachineFiles } from './machine-files.ts';

const WRITABLE_BY_OTHERS = 0o022;

type FileFact = `engine.${
  | 'socketMode'
  | 'socketGroup'
  | 'socketOwnerRoot'
  | 'socketUsers'
  | 'configFileSafe'
  | 'dataFolderMode'}`;

/** The engine's socket, configuration and data folder, where they lie on this machine. */
export function engineFileFacts(answers: EngineAnswers): Record<FileFact, Observation> {
  const { engine, info, machine } = answers;
  const ofSocket = (read: (socket: FileState) => FactValue): Observation => observe(() => read(socketOf(answers)));
  return {
    'engine.socketMode': ofSocket(({ mode }) => mode),
    'engine.socketGroup': ofSocket(({ gid }) => groupOf(machine, gid).name),
    'engine.socketOwnerRoot': ofSocket(({ uid }) => uid === 0),
    'engine.socketUsers': ofSocket(({ gid }) => usersOf(machine, gid)),
    'engine.configFileSafe':
      engine === 'podman'
        ? { absent: 'Podman has no daemon with a configuration file' }
        : observe(() => {
            assertSameMachine(answers);
            const file = machine.state(readDaemon(machine).configFile);
            return file === undefined || (file.uid === 0 && (file.mode & WRITABLE_BY_OTHERS) === 0);
          }),
    'engine.dataFolderMode': observe(() => {
      assertSameMachine(answers);
      const folder = machine.state(info.in('DockerRootDir').text());
      if (folder === undefined) throw new Error("the engine's data folder is not on this machine");
      return folder.mode;
    }),
  };
}

/** A socket may lead to another machine: that of a virtual machine on a desktop, or through SSH. */
export function assertSameMachine({ info, socketPath, machine }: EngineAnswers): void {
  if (socketPath === undefined) throw new Error('the engine is reached over TCP: its machine is not seen');
  const name = machine.text('/proc/sys/kernel/hostname')?.trim();
  const kernel = machine.text('/proc/sys/kernel/osrelease')?.trim();
  if (info.in('Name').text() !== name || info.in('KernelVersion').text() !== kernel) {
    throw new Error('the engine runs on another machine than this program');
  }
}

function socketOf(answers: EngineAnswers): FileState {
  assertSameMachine(answers);
  const socket = answers.machine.state(answers.socketPath ?? '');
  if (socket === undefined) throw new Error('the socket is gone');
  return socket;
}

function groupOf(machine: MachineFiles, gid: number): { readonly name: string; readonly members: string[] } {
  for (const line of (machine.text('/etc/group') ?? '').split('\n')) {
    const [name = '', , id, members = ''] = line.split(':');
    if (id === String(gid)) return { name, members: members.split(',').filter((member) => member !== '') };
  }
  return { name: String(gid), members: [] };
}

/** Members of a group, and those whose first group it is; root needs none. */
function usersOf(machine: MachineFiles, gid: number): string[] {
  const first = (machine.text('/etc/passwd') ?? '').split('\n').flatMap((line) => {
    const [name = '', , , id] = line.split(':');
    return id === String(gid) ? [name] : [];
  });
  return [...groupOf(machine, gid).members, ...first].filter((name) => name !== 'root');
}
