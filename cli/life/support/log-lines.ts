import { isHarmlessValue } from './allowed-text.ts';

/** Facts of a log line that are ours: counts, sizes, codes. Of any other key not even the name goes in. */
const KEYS = new Set(
  'bytes code count crossing deletions entries exit failures from kek kind l1 l2Block level leaves number ours port records renewable renewed replicas roots safe size theirs title to torn version'.split(
    ' ',
  ),
);
const LEVELS = new Set(['error', 'warn', 'info', 'debug']);
const SERVICE = /^[a-z][a-z0-9-]{0,31}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
/** Where in our program: file and line, without the folder, which may be a person's. */
const FRAME = /([A-Za-z0-9_-]+\.(?:ts|mjs|js)):(\d+):\d+\)?$/;
const MAX_FRAMES = 12;

export interface SupportLine {
  readonly time?: string;
  readonly level: string;
  readonly service?: string;
  readonly message?: string;
  readonly error?: { readonly code?: string; readonly at: readonly string[] };
  readonly data?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * What of a log line may be shown to others; undefined for a line that is not one of ours. Messages are fixed texts of the program (house
 * rule 16): one goes in only when it is in the list of those that this version writes.
 */
export function supportLine(line: string, messages: ReadonlySet<string>): SupportLine | undefined {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { time, level, service, msg, err } = entry;
  const data = Object.entries(entry).filter(([key, value]) => KEYS.has(key) && key !== 'level' && isFact(value));
  return {
    ...(typeof time === 'string' && TIME.test(time) && { time }),
    level: typeof level === 'string' && LEVELS.has(level) ? level : 'unknown',
    ...(typeof service === 'string' && SERVICE.test(service) && messages.has(String(msg)) && { service }),
    ...(typeof msg === 'string' && messages.has(msg) && { message: msg }),
    ...(typeof err === 'object' && err !== null && { error: describeError(err) }),
    ...(data.length > 0 && { data: Object.fromEntries(data) as Record<string, string | number | boolean> }),
  };
}

function isFact(value: unknown): boolean {
  return (
    typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && isHarmlessValue(value))
  );
}

/** The code and the places, never the message: that of a foreign error may quote anything. */
function describeError(err: { code?: unknown; stack?: unknown }): { code?: string; at: string[] } {
  const code = typeof err.code === 'string' && isHarmlessValue(err.code) ? { code: err.code } : {};
  const at = (typeof err.stack === 'string' ? err.stack : '').split('\n').flatMap((line) => {
    const [, file, number] = (line.trimStart().startsWith('at ') ? FRAME.exec(line) : null) ?? [];
    return file === undefined ? [] : [`${file}:${number}`];
  });
  return { ...code, at: at.slice(0, MAX_FRAMES) };
}
