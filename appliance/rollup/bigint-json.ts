/** JSON with bigints as "123n", for what the sealed database keeps of us: what comes back is what was written. */
export function encodeBigintJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? `${field}n` : field)),
  );
}

export function parseBigintJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes), (_, field) =>
    typeof field === 'string' && /^\d+n$/.test(field) ? BigInt(field.slice(0, -1)) : field,
  );
}
