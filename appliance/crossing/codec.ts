/** JSON in which bytes are `{"$bytes": base64}` and bigints `{"$bigint": decimal}`; an object that looks like one is escaped. */
const TAG = '$';

export function encodeMessage(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value === undefined ? null : value, tag), 'utf8');
}

/** Bytes of our own toJSON (a Buffer's) would come as numbers: the holder still has them as they were. */
function tag(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (typeof original === 'bigint') return { $bigint: original.toString() };
  if (original instanceof Uint8Array) return { $bytes: Buffer.from(original).toString('base64') };
  const sole = soleKey(value);
  // What a replacer returns is not given to it again, only what is inside: no tag is escaped twice.
  return sole?.startsWith(TAG) === true ? { [`${TAG}${sole}`]: (value as Record<string, unknown>)[sole] } : value;
}

function soleKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const keys = Object.keys(value);
  return keys.length === 1 ? keys[0] : undefined;
}

/** Turns a parsed and validated message back into bytes and bigints, in place. */
export function reviveMessage(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = reviveMessage(item);
    return value;
  }
  const object = value as Record<string, unknown>;
  const sole = soleKey(object);
  if (sole?.startsWith(TAG) === true) return reviveTagged(sole, object[sole]);
  for (const key of Object.keys(object)) object[key] = reviveMessage(object[key]);
  return object;
}

function reviveTagged(name: string, content: unknown): unknown {
  if (name === '$bytes' && typeof content === 'string') return Uint8Array.from(Buffer.from(content, 'base64'));
  if (name === '$bigint' && typeof content === 'string' && /^-?[0-9]{1,80}$/.test(content)) return BigInt(content);
  return { [name.startsWith('$$') ? name.slice(1) : name]: reviveMessage(content) };
}
