import { openDocument } from './document.ts';
import type { EngineApi } from './engine-api.ts';

/** Podman names itself among the components of its version; Docker's are Engine, containerd, runc. */
export async function readEngineKind(api: EngineApi, signal: AbortSignal): Promise<'docker' | 'podman'> {
  const version = openDocument(await api.getJson('/version', signal));
  if (version.isAbsent) throw new Error('the engine does not tell its version');
  const components = version.in('Components').items();
  return components.some((component) => /podman/i.test(component.in('Name').text())) ? 'podman' : 'docker';
}
