import type { Document } from '../document.ts';
import type { EngineNode } from '../engine-api.ts';

/** One container as its engine shows it, with what is needed to understand it. */
export interface Inspected {
  readonly engine: 'docker' | 'podman';
  /** The answer to `GET /containers/{id}/json`. */
  readonly document: Document;
  /** Podman's own words for it (`libpod`), where Docker's have no room for them. */
  readonly libpod?: Document;
  readonly node: EngineNode;
  readonly role: string;
  readonly context: ContainerContext;
}

/** What the containers of a node are compared with. */
export interface ContainerContext {
  /** Canonical digest (seccomp.ts) of the seccomp profile that this program has for each role. */
  readonly seccomp: Readonly<Record<string, string>>;
  /** Reads a profile where the engine names a path on its machine instead of giving the text (Podman). */
  readonly readProfile?: (path: string) => string;
  /** Image ids that the node's configuration pins. */
  readonly imageIds?: Readonly<Record<string, string>>;
  /** Digest of the specification that this program would give each role's container. */
  readonly specs?: Readonly<Record<string, string>>;
  /** What this program would ask an engine for to make each role's container: the body of `POST /containers/create`. */
  readonly bodies?: Readonly<Record<string, unknown>>;
  /** Where the node's own key file is mounted. */
  readonly keyFileTarget: string;
}

/** What only Podman tells of itself; Docker's answer has it in the same place. */
export function ownDocument({ engine, document, libpod }: Inspected): Document {
  if (engine === 'docker') return document;
  if (libpod === undefined || libpod.isAbsent) throw new Error('Podman does not tell it through its own API');
  return libpod;
}

/** `HostConfig.SecurityOpt`: `no-new-privileges`, `label=disable`, `seccomp=...`; older ones with a colon. */
export function securityOptions({ document }: Inspected): { readonly name: string; readonly value: string }[] {
  return document
    .in('HostConfig', 'SecurityOpt')
    .texts()
    .map((text) => {
      const at = text.search(/[=:]/);
      return at < 0 ? { name: text, value: '' } : { name: text.slice(0, at), value: text.slice(at + 1) };
    });
}
