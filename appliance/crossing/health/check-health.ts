import { request } from 'node:http';

const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** How a role is: usable, alive but not usable (and why), or not answering. */
export interface HealthCheck {
  readonly alive: boolean;
  readonly ready: boolean;
  /** One line for people. */
  readonly reason: string;
}

/** Asks a role's health socket. Never throws: no answer is an answer. */
export function checkHealth(path: string): Promise<HealthCheck> {
  return new Promise((resolve) => {
    const silent = (why: string): void => resolve({ alive: false, ready: false, reason: `no answer: ${why}` });
    const asked = request({ socketPath: path, path: '/readyz', agent: false, timeout: TIMEOUT_MS }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      response.on('error', ({ message }) => silent(message));
      response.on('end', () => resolve(parseHealth(Buffer.concat(parts).toString('utf8'))));
    });
    asked.on('timeout', () => asked.destroy(new Error(`within ${TIMEOUT_MS} ms`)));
    asked.on('error', (error: NodeJS.ErrnoException) => silent(error.code ?? error.message));
    asked.end();
  });
}

function parseHealth(text: string): HealthCheck {
  try {
    const { ready, reasons } = JSON.parse(text) as { ready: unknown; reasons: { service: string; reason: string }[] };
    const reason = reasons.map((each) => `${each.service}: ${each.reason}`).join('; ');
    return { alive: true, ready: ready === true, reason: ready === true ? 'ready' : reason };
  } catch {
    return { alive: false, ready: false, reason: 'no answer: not that of a role' };
  }
}
