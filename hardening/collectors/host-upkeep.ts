import type { HostFiles } from './host-files.ts';

const SYNCHRONISED = '/run/systemd/timesync/synchronized';

/** Whether the clock is disciplined: systemd's own word, else that of timedatectl (adjtimex) or of chrony. */
export async function isTimeSynchronised(host: HostFiles, signal: AbortSignal): Promise<boolean> {
  if ((await host.read(SYNCHRONISED)) !== undefined) return true;
  const problems: string[] = [];
  const say = async (program: string, args: readonly string[]): Promise<string | undefined> => {
    try {
      const said = await host.run(program, args, signal);
      if (said === undefined) problems.push(`there is no ${program}`);
      return said;
    } catch (error) {
      signal.throwIfAborted();
      problems.push((error as Error).message);
      return undefined;
    }
  };
  const timedatectl = await say('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  if (timedatectl !== undefined && /^(yes|no)$/.test(timedatectl.trim())) return timedatectl.trim() === 'yes';
  const chrony = await say('chronyc', ['-n', 'tracking']);
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(chrony ?? '')?.[1];
  if (leap !== undefined) return leap.trim() !== 'Not synchronised';
  throw new Error(`nobody here tells whether the clock is synchronised: ${problems.join('; ')}`);
}

/** Debian's and Ubuntu's own mark; other distributions have none. */
export async function isRebootRequired(host: HostFiles): Promise<boolean> {
  if ((await host.read('/var/run/reboot-required')) !== undefined) return true;
  if ((await host.read('/run/reboot-required')) !== undefined) return true;
  if ((await host.read('/var/lib/dpkg/status')) !== undefined) return false;
  throw new Error('this distribution leaves no mark of it');
}

/** unattended-upgrades of Debian and Ubuntu, dnf-automatic of Fedora and its kin. */
export async function areUpdatesAutomatic(host: HostFiles): Promise<boolean> {
  if ((await host.read('/var/lib/dpkg/status')) !== undefined) {
    const folder = '/etc/apt/apt.conf.d';
    const installed = (await host.list('/usr/bin'))?.includes('unattended-upgrade') ?? false;
    const texts = await readAll(host, folder, (await host.list(folder)) ?? []);
    const values = [...texts.join('\n').matchAll(/^\s*APT::Periodic::Unattended-Upgrade\s+"(\d+|always)"/gm)];
    return installed && values.length > 0 && values.at(-1)?.[1] !== '0';
  }
  const dnf = (await host.read('/etc/dnf/automatic.conf'))?.toString('utf8');
  if ((await host.list('/etc/dnf')) === undefined)
    throw new Error('how this distribution updates itself is not known here');
  const timers = (await host.list('/etc/systemd/system/timers.target.wants')) ?? [];
  const isOn = timers.some((name) => name.startsWith('dnf-automatic') || name.startsWith('dnf5-automatic'));
  const installs =
    timers.includes('dnf-automatic-install.timer') || /^\s*apply_updates\s*=\s*(yes|true|1)/m.test(dnf ?? '');
  return isOn && installs;
}

/** Rules for what comes in that are not an engine's: a chain for input that drops or judges, or DOCKER-USER with more than its return. */
export async function hasFirewall(host: HostFiles, signal: AbortSignal): Promise<boolean> {
  const nft = await host.run('nft', ['list', 'ruleset'], signal);
  if (nft !== undefined && nftFilters(nft)) return true;
  const iptables = await host.run('iptables-save', [], signal);
  if (nft === undefined && iptables === undefined) throw new Error('there is neither nft nor iptables-save to ask');
  return iptables !== undefined && iptablesFilters(iptables);
}

function nftFilters(text: string): boolean {
  // A chain's text ends at its closing brace; what hooks into input is what strangers meet.
  const chains = [...text.matchAll(/chain \S+ \{([^}]*)\}/g)].map(([, body = '']) => body);
  return chains
    .filter((body) => /hook input/.test(body))
    .some((body) => /policy drop/.test(body) || body.split('\n').filter((line) => line.trim() !== '').length > 1);
}

function iptablesFilters(text: string): boolean {
  return text
    .split('\n')
    .some(
      (line) => /^:INPUT DROP/.test(line) || /^-A INPUT /.test(line) || /^-A DOCKER-USER (?!-j RETURN$)/.test(line),
    );
}

/** Watches on paths of the engine, of those in force: `-w PATH -p ...`, `-F path=PATH`, `-F dir=PATH`. */
export async function auditedPaths(host: HostFiles, signal: AbortSignal): Promise<string[]> {
  const rules = await host.run('auditctl', ['-l'], signal);
  if (rules === undefined) throw new Error('there is no auditctl to ask');
  const paths = [...rules.matchAll(/(?:-w |-F (?:path|dir)=)(\S+)/g)].map(([, path = '']) => path);
  return paths.filter((path) => /docker|containerd|runc|podman|containers/.test(path));
}

async function readAll(host: HostFiles, folder: string, names: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const name of [...names].sort()) {
    texts.push((await host.read(`${folder}/${name}`))?.toString('utf8') ?? '');
  }
  return texts;
}
