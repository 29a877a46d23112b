/** The answer to a call that comes before the rollup has started. */
export function notStarted(body: unknown): unknown {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : null;
  return {
    jsonrpc: '2.0',
    id,
    error: { code: -32000, message: 'the node is not ready', data: { code: 'NODE_NOT_READY' } },
  };
}
