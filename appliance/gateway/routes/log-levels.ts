import { evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { LogLevelList, LogLevelRequest } from '../log-level-schemas.ts';
import { describeOperation } from '../openapi.ts';

const look = describeOperation({
  id: 'listLogLevels',
  tag: 'node',
  summary: 'How each role logs; answered while locked too',
  guard: { scope: 'node:read', whileLocked: true },
  response: { 200: LogLevelList },
});
const change = describeOperation({
  id: 'changeLogLevel',
  tag: 'node',
  summary: 'Log more or less for a while',
  description:
    'On record first. The level is as configured again when the time is over, or the role starts anew. Several gateways of a node (Kubernetes) all take it within a second, and so does one that starts before the time is over.',
  guard: { scope: 'admin' },
  body: LogLevelRequest,
  response: { 200: LogLevelList },
});
const reset = describeOperation({
  id: 'resetLogLevels',
  tag: 'node',
  summary: 'Log as configured again, at once',
  guard: { scope: 'admin' },
  response: { 200: LogLevelList },
});

export function addLogLevelRoutes(server: GatewayServer, context: RouteContext): void {
  const { logLevels } = context.deps;
  const shown = (roles: LogLevelList['roles'] | Awaited<ReturnType<typeof logLevels.read>>) => ({ roles });

  server.get('/v1/node/log-levels', look, async () => shown(await logLevels.read()));

  server.put('/v1/node/log-levels', change, async (request) => {
    const { target, level, seconds } = request.body as LogLevelRequest;
    const targets = await logLevels.find(target);
    const detail = { target: target ?? 'node', level, seconds };
    const event = { type: 'node.log-level', outcome: 'success', context: request.access, detail } as const;
    return shown((await evidencedFirst(context, event, () => logLevels.change(targets, { level, seconds }))).result);
  });

  server.delete('/v1/node/log-levels', reset, async (request) => {
    const detail = { target: 'node', level: 'as configured' };
    const event = { type: 'node.log-level', outcome: 'success', context: request.access, detail } as const;
    return shown((await evidencedFirst(context, event, () => logLevels.reset())).result);
  });
}
