/**
 * An import of node:http evaluates each of its exports, WebSocket among them, and with it a whole HTTP client: 73 ms of CPU for a program
 * that does nothing else, where this way takes 32. Engines start that program for each role every few seconds, for ever.
 */
const { request } = process.getBuiltinModule('node:http');

const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** Of /status: lists in it are bounded. */
export const MAX_STATUS_BYTES = 1024 * 1024;

/** How a role is: usable, alive but not usable (and why), or not answering. */
export interface HealthCheck {
  readonly alive: boolean;
  readonly ready: boolean;
  /** One line for people. */
  readonly reason: string;
}

/** Asks a role's health socket. Never throws: no answer is an answer. */
export async function checkHealth(path: string): Promise<HealthCheck> {
  const silent = (why: string): HealthCheck => ({ alive: false, ready: false, reason: `no answer: ${why}` });
  try {
    return parseHealth((await askHealth(path, '/readyz', MAX_ANSWER_BYTES)).text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return silent(code ?? message);
  }
}

/** What a health socket answers to GET `view`. Throws where nothing answers, in time and within `maxBytes`. */
export function askHealth(path: string, view: string, maxBytes: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: view, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > maxBytes) response.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    asked.on('timeout', () => asked.destroy(new Error(`within ${TIMEOUT_MS} ms`)));
    asked.on('error', reject);
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
