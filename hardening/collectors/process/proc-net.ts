const LISTEN = '0A';

/** `ADDRESS:PORT` of the listening lines of /proc/net/tcp or tcp6. */
export function listening(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const { address, state } = parse(line);
    return state === LISTEN ? [address] : [];
  });
}

/** `ADDRESS:PORT` of the lines of /proc/net/udp or udp6. */
export function bound(lines: readonly string[]): string[] {
  return lines.map((line) => parse(line).address);
}

function parse(line: string): { readonly address: string; readonly state: string } {
  const [, local = '', , state = ''] = line.trim().split(/\s+/);
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local);
  if (match === null) throw new Error('a line of a socket table is none');
  const [, address = '', port = ''] = match;
  return { address: `${addressOf(address)}:${Number.parseInt(port, 16)}`, state };
}

/** Words of four bytes, each in the order of the machine: little-endian on all that we run on. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_none, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]/`).hostname;
}
