/** A socket on which the node should listen, and the way to it from here. */
export interface ExpectedListener {
  readonly name: 'gateway' | 'metrics' | 'p2p';
  readonly speaks: 'https' | 'http' | 'libp2p';
  /** Where this machine reaches it. */
  readonly host: string;
  readonly port: number;
  /** What the configuration says; `port` 0 for any free one. */
  readonly configured: { readonly host: string; readonly port: number };
  /** gateway.maxHeaderBytes; what is sent to see what happens beyond it. */
  readonly maxHeaderBytes?: number;
}

/** What a listener is bound to on the host: seen, not configured. Throws where that cannot be seen. */
export type FindBindings = (
  listener: ExpectedListener,
  signal: AbortSignal,
) => Promise<readonly { readonly address: string; readonly port: number }[]>;
