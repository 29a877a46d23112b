/** Every route that the server registered, in order. */
export type RouteTable = { readonly method: string; readonly url: string }[];

/** The methods of the routes that `path` matches, for 405 and its Allow header; empty when none does. */
export function allowedMethods(routes: RouteTable, path: string): string[] {
  const segments = path.split('/');
  return [...new Set(routes.filter(({ url }) => matches(url.split('/'), segments)).map(({ method }) => method))];
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]))
  );
}
