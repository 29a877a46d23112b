import { type Address, openTcp, receive } from './socket-exchange.ts';

const MULTISTREAM = '/multistream/1.0.0';
const MAX_ANSWER_BYTES = 1024;

/** Whether a libp2p host takes this protocol for a new connection (multistream-select 1.0: the name comes back, or `na`). */
export async function offersProtocol(address: Address, protocol: string, signal: AbortSignal): Promise<boolean> {
  const socket = await openTcp(address, signal);
  socket.write(Buffer.concat([encodeLine(MULTISTREAM), encodeLine(protocol)]));
  const enough = (received: Buffer): boolean => parseLines(received).length >= 2;
  const [greeting, answer] = parseLines(await receive(socket, { most: MAX_ANSWER_BYTES, enough }, signal));
  if (greeting !== MULTISTREAM) throw new Error('what answers there does not speak multistream-select');
  if (answer === undefined) throw new Error('the connection was cut before it answered');
  return answer === protocol;
}

function encodeLine(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)]);
}

/** Whole lines only; a length over 127 is none of the short names that are expected here. */
function parseLines(received: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at < received.length; ) {
    const length = received[at] ?? 0;
    const end = at + 1 + length;
    if (length > 127 || length === 0 || end > received.length) break;
    lines.push(received.toString('latin1', at + 1, end).trimEnd());
    at = end;
  }
  return lines;
}
