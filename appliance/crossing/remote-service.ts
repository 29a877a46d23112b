import { isNectarError } from '../../protocol/errors.ts';
import type { Readiness } from '../service.ts';
import type { ServiceState } from './state.ts';

/** A service of another role, as far as its readiness goes: never throws, for no answer is an answer. */
export interface RemoteService {
  readonly name: string;
  readiness(): Promise<Readiness>;
}

export function remoteServices(
  names: readonly string[],
  state: () => Promise<{ readonly services: readonly ServiceState[] }>,
): RemoteService[] {
  return names.map((name) => ({
    name,
    async readiness() {
      try {
        const found = (await state()).services.find(({ service }) => service === name);
        if (found?.ready === true) return { ready: true };
        const { reason = 'its role does not know it', fault } = found ?? {};
        return { ready: false, reason, ...(fault !== undefined && { fault }) };
      } catch (error) {
        return { ready: false, reason: isNectarError(error) ? error.message : 'its role gives no answer' };
      }
    },
  }));
}
