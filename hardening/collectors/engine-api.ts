/** What looking at a container engine needs: GET requests of the Docker Engine API (Docker's own or Podman's), and one exec. */
export interface EngineApi {
  /** The parsed answer, of a bounded size; undefined for 404. Paths begin with `/` and carry no API version. */
  getJson(path: string, signal: AbortSignal): Promise<unknown>;
  /** The answer as it comes; undefined for 404. */
  getStream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Runs a program in a container that runs, as the container's own user, to its end. */
  exec(
    container: string,
    argv: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly stdout: string; readonly exitCode: number }>;
}

/** Names and labels by which the objects of one node are known on its engine. */
export interface EngineNode {
  readonly nodeId: string;
  /** What every name of its objects begins with: `nectar-1f2e3d4c-`. */
  readonly prefix: string;
  readonly roles: readonly string[];
  readonly labels: {
    readonly node: string;
    readonly role: string;
    readonly version: string;
    readonly spec: string;
  };
}

/** The path of a list, filtered by the engine: `/volumes?filters=...`. */
export function filtered(path: string, filters: Readonly<Record<string, readonly string[]>>): string {
  return `${path}${path.includes('?') ? '&' : '?'}filters=${encodeURIComponent(JSON.stringify(filters))}`;
}
