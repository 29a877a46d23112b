/** One answer of the node's HTTPS API, whatever its status: a refusal is what a probe wants to see. */
export interface NodeAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface NodeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/v1/node`; with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Longest wait for the whole answer; a default of the client's where it is not given. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/**
 * The running node, asked as its owner: an admin token, and the node's own authority as the only one that is trusted.
 * Throws where there is no answer; the body is bounded.
 */
export interface NodeApi {
  request(request: NodeRequest): Promise<NodeAnswer>;
}
