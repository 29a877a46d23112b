import { socketsFolder } from '../../appliance/config/home-paths.ts';
import { askHealth, checkHealth, MAX_STATUS_BYTES } from '../../appliance/crossing/health/check-health.ts';
import { healthSocketPath } from '../../appliance/crossing/socket.ts';

/**
 * `healthcheck <role> [--home DIR] [--live|--status]`, loaded by itself: an engine asks every few seconds, and must not load the whole
 * role for it. Exit code 0 when the role is ready (with --live: when it answers), else 1. --status prints the node at a glance, as JSON.
 */
export async function healthcheck(role: string): Promise<number> {
  const words = process.argv.slice(3);
  const home = words[words.indexOf('--home') + 1];
  const folder = socketsFolder(words.includes('--home') && home !== undefined ? home : '/nectar', process.env);
  if (words.includes('--status')) {
    const { status, text } = await askHealth(healthSocketPath(folder, role), '/status', MAX_STATUS_BYTES);
    process.stdout.write(text);
    return status === 200 ? 0 : 1;
  }
  const { alive, ready, reason } = await checkHealth(healthSocketPath(folder, role));
  process.stdout.write(`${reason}\n`);
  return (words.includes('--live') ? alive : ready) ? 0 : 1;
}
