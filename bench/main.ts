/**
 * `npm run bench -- <name>`: one benchmark, one or more JSON lines {name, ours, peer, peerName, ratio}, all figures of one run.
 * `--minutes N` where a bench takes its time (soak, sustained).
 */
import { parseArgs } from 'node:util';

const BENCHES = {
  store: () => import('./store.ts'),
  audit: () => import('./audit.ts'),
  chain: () => import('./chain.ts'),
  'chain-peers': () => import('./peers.ts'),
  growth: () => import('./growth.ts'),
  machine: () => import('./machine.ts'),
  logs: () => import('./logs.ts'),
  puts: () => import('./puts.ts'),
  transfer: () => import('./transfer.ts'),
  folder: () => import('./folder.ts'),
  rm: () => import('./rm.ts'),
  listing: () => import('./listing.ts'),
  start: () => import('./start.ts'),
  backup: () => import('./backup.ts'),
  sustained: () => import('./sustained.ts'),
  sockets: () => import('./sockets.ts'),
  containers: () => import('./containers.ts'),
  soak: () => import('./soak.ts'),
  idle: () => import('./idle.ts'),
  registry: () => import('./registry.ts'),
  coding: () => import('./coding.ts'),
  trace: () => import('./trace.ts'),
  dispute: () => import('./dispute.ts'),
} as const;

const { values, positionals: names } = parseArgs({ allowPositionals: true, options: { minutes: { type: 'string' } } });
if (values.minutes !== undefined) process.env.BENCH_MINUTES = values.minutes;
const isBench = (name: string): name is keyof typeof BENCHES => Object.hasOwn(BENCHES, name);
if (names.length === 0 || !names.every(isBench)) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--minutes N]\n`);
  process.exit(2);
}
for (const name of names.filter(isBench)) {
  const { run } = await BENCHES[name]();
  await run();
}
