import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { DOCKER_SOCKET, loadImages } from '../integration/docker/docker-place.ts';
import { tellStory } from './story.ts';
import { filesHolding, Workplace, walk } from './workplace.ts';

const docker = new Docker();
const hasEngine = existsSync('/var/run/docker.sock');

interface Volume {
  readonly name: string;
  readonly folder: string;
}

const nodeId = (home: string): string =>
  (JSON.parse(readFileSync(join(home, 'identity', 'public.json'), 'utf8')) as { nodeId: string }).nodeId;

/** The node's volumes, where the engine keeps them: root reads them as whoever stole the disk would. */
async function volumes(home: string): Promise<Volume[]> {
  const { Volumes } = await docker.listVolumes({ filters: { label: [`org.nectar-byon.node=${nodeId(home)}`] } });
  return Volumes.map(({ Name, Mountpoint }) => ({ name: Name, folder: Mountpoint }));
}

async function storeFolder(home: string, name: string): Promise<string> {
  const wanted = `nectar-${nodeId(home).slice(0, 8)}-store`;
  const store = (await volumes(home)).find((volume) => volume.name === wanted);
  if (store === undefined) throw new Error('the node has no store volume');
  return join(store.folder, name);
}

if (hasEngine || process.env.CI === 'true') loadImages(DOCKER_SOCKET);

/** The container target: the same story over four containers. */
tellStory(new Workplace(), {
  initArguments: ['--target', 'docker'],
  skip: hasEngine || process.env.CI === 'true' ? false : 'no container engine on this machine',
  async kill(home) {
    const [container] = await docker.listContainers({
      filters: { label: [`org.nectar-byon.node=${nodeId(home)}`, 'org.nectar-byon.role=store'] },
    });
    const { State } = await docker.getContainer(container?.Id ?? '').inspect();
    process.kill(State.Pid, 'SIGKILL');
  },
  async loseBlocks(home) {
    for (const path of walk(await storeFolder(home, 'blocks'))) rmSync(path);
  },
  countBlocks: async (home) => walk(await storeFolder(home, 'blocks')).length,
  countStaged: async (home) => walk(await storeFolder(home, 'staging')).length,
  async holding(home, needles) {
    const folders = [home, ...(await volumes(home)).map(({ folder }) => folder)];
    return folders.flatMap((folder) => filesHolding(folder, needles));
  },
  authority: (home) => join(home, 'tls', 'ca.crt'),
});
