import Type, { type Static, type TSchema } from 'typebox';
import { Check } from 'typebox/value';

const MAX_CHARS = 8 * 1024 * 1024;

/** Something read, or the reason why not. */
export type Read<T> = { readonly value: T } | { readonly error: string };

const read = <T extends TSchema>(value: T) =>
  Type.Union([Type.Object({ value }), Type.Object({ error: Type.String({ maxLength: 4096 }) })]);
const text = Type.String();
const texts = Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 65_536 });
const owner = Type.Object({ mode: Type.Integer(), uid: Type.Integer(), gid: Type.Integer() });

/** What was read of one process: texts of /proc as they are, and judgements of what must not leave the place. */
const schema = Type.Object({
  status: read(text),
  mountinfo: read(text),
  limits: read(text),
  interfaces: read(text),
  /** The label of a security module; an error with EINVAL or ENOENT where the kernel has none. */
  label: read(text),
  /** Says which boot of which kernel it was: only within one are the numbers of namespaces comparable. */
  bootId: read(text),
  /** `net` -> `net:[4026531833]` */
  namespaces: read(Type.Record(Type.String(), text)),
  /** Lines of /proc/net/{tcp,tcp6,udp,udp6} that are sockets of the process. */
  sockets: read(Type.Record(Type.String(), texts)),
  executable: read(text),
  /** The program's files and their folders; without an owner where there is none any more. */
  files: read(Type.Array(Type.Object({ path: text, owner: Type.Optional(owner) }), { maxItems: 16 })),
  /** Version of the node that read this, where the process runs the same. */
  nodeVersion: read(text),
  secretsInEnvironment: read(texts),
  secretsInArguments: read(Type.Boolean()),
  weakOptions: read(texts),
  children: read(texts),
  /** Paths of /proc and /sys that engines hide, and that it sees. */
  openPaths: read(texts),
  /** Processes beside it that neither it nor this program started: whoever may run a program in a container from outside. */
  strangers: read(Type.Array(Type.Object({ name: Type.String({ maxLength: 256 }), uids: texts }), { maxItems: 4096 })),
  /** Programs of all processes that the reader could see. */
  neighbours: read(texts),
});

export type RawProcess = Static<typeof schema>;
export type ProgramFile = Extract<RawProcess['files'], { value: unknown }>['value'][number];

export const NAMESPACES = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup'] as const;

/** What came out of a container: whoever rules it may have written it. Throws when it is no RawProcess. */
export function parseRawProcess(json: string): RawProcess {
  if (json.length > MAX_CHARS) throw new Error('the program in the container said too much');
  const value: unknown = JSON.parse(json);
  if (!Check(schema, value)) throw new Error('the program in the container said something else than what it was asked');
  return value;
}
