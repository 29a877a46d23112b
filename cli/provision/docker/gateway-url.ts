/** `https://ADDRESS:PORT` where this machine reaches the gateway: one published everywhere answers on loopback too. */
export function gatewayUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host === '0.0.0.0') return `https://127.0.0.1:${port}`;
  if (host === '::') return `https://[::1]:${port}`;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
