/**
 * The launcher behind ./nectar-byon and npm test. It must run on any Node from 20 up and before anything is installed:
 * plain JavaScript, built-in modules only.
 *
 *   launch.mjs ARGS...               the CLI (cli/main.ts)
 *   launch.mjs --exec FILE ARGS...   another script of ours, with the same set-up and runtime
 *
 * NECTAR_INSTALL=never leaves node_modules alone (packagers, air-gapped machines).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const OLDEST_LAUNCHER_NODE = 20;
/** From here on Node runs our TypeScript as it stands, and has Argon2id. */
const OLDEST_RUNTIME = [24, 7];
const LOCK_POLL_MS = 250;
/** An install that holds the lock for longer has died, and its pid now belongs to somebody else. */
const LOCK_STALE_MS = 30 * 60 * 1000;
const PROGRESS_TTY_MS = 100;
const PROGRESS_PLAIN_MS = 10_000;
const NPM_OUTPUT_KEPT_BYTES = 256 * 1024;
const NPM_LINES_SHOWN = 8;
/** npm takes its time to undo what the next set-up removes anyway. */
const NPM_GRACE_MS = 1_500;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** In the published package npm has already installed what is needed, and the CLI is one bundle. */
const bundle = join(root, 'dist', 'nectar-byon.mjs');
const isClone = existsSync(join(root, 'cli', 'main.ts'));
const lockfile = join(root, 'package-lock.json');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.nectar-installed');
const lock = join(root, '.nectar-install.lock');

/** Codes, remedies and exit codes are those of protocol/errors/cli.ts, which Node 20 cannot read (tested equal). */
const ERRORS = {
  CLI_INSTALL_NPM_MISSING: { exit: 10, remedy: 'Install npm (it comes with Node.js), then run this again.' },
  CLI_INSTALL_OFFLINE: {
    exit: 13,
    remedy: 'Connect this machine to the network, or set a proxy or mirror with `npm config set`, then run this again.',
  },
  CLI_INSTALL_FAILED: { exit: 10, remedy: 'Read what npm says; nothing was started. Run this again to retry.' },
  CLI_INSTALL_BROKEN: {
    exit: 10,
    remedy: 'Check that you may write to the clone, then run this again; or clone it again.',
  },
  CLI_RUNTIME_MISSING: { exit: 10, remedy: 'Install Node.js 24.7 or newer and put it first in the PATH.' },
};

class LaunchError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** A signal ended the set-up: no message, the shell's exit code for it. */
class Interrupted extends Error {
  constructor(signal) {
    super(`interrupted by ${signal}`);
    this.exit = 128 + (constants.signals[signal] ?? 0);
  }
}

function lockHash() {
  try {
    return createHash('sha256').update(readFileSync(lockfile)).digest('hex');
  } catch (error) {
    throw new LaunchError('CLI_INSTALL_BROKEN', `package-lock.json is unreadable (${error.code})`);
  }
}

/** True when npm itself left the very packages that the lockfile names: a hand-run `npm ci` needs no second one. */
function npmInstalledTheLockfile() {
  try {
    const wanted = JSON.parse(readFileSync(lockfile, 'utf8')).packages;
    const present = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' || present[path]?.integrity === entry.integrity || (present[path] === undefined && entry.optional),
    );
  } catch {
    return false;
  }
}

function isInstalled() {
  if (!isClone || process.env.NECTAR_INSTALL === 'never') return true;
  const hash = lockHash();
  try {
    if (readFileSync(stamp, 'utf8').trim() === hash) return true;
  } catch {
    // No stamp: never installed, interrupted, or installed by hand.
  }
  // While another launcher installs, npm's own list may already be there before the last file is.
  if (existsSync(lock) || !npmInstalledTheLockfile()) return false;
  writeStamp(hash);
  return true;
}

function writeStamp(hash) {
  try {
    writeFileSync(`${stamp}.${process.pid}`, `${hash}\n`);
    renameSync(`${stamp}.${process.pid}`, stamp);
  } catch {
    // A read-only clone with everything installed works as well: the check is only repeated next time.
  }
}

/** Takes the lock, or returns the pid of the launcher that has it. `link` makes lock and content appear in one step. */
function takeLock() {
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, [process.pid, beginOf(process.pid)].join(' '));
  try {
    linkSync(mine, lock);
    return undefined;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return holder();
  } finally {
    rmSync(mine, { force: true });
  }
}

function holder() {
  try {
    const [number = '', begun = ''] = readFileSync(lock, 'utf8').split(' ');
    const pid = Number(number);
    const age = Date.now() - statSync(lock).mtimeMs;
    if (Number.isInteger(pid) && pid > 0 && isAlive(pid, begun) && age < LOCK_STALE_MS) return pid;
    // Moved aside first, so that of two launchers that see the same dead lock only one removes it.
    renameSync(lock, `${lock}.stale.${process.pid}`);
    rmSync(`${lock}.stale.${process.pid}`, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return 0;
}

/** A number is no proof of life: it is given to another process in time, which began at another moment. */
function isAlive(pid, begun) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  const now = beginOf(pid);
  return begun === '' || now === undefined || begun === now;
}

/** When a process began, in ticks since the boot (proc(5), field 22); undefined where there is no /proc. */
function beginOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

async function ensureInstalled() {
  let told = false;
  while (!isInstalled()) {
    const other = takeLock();
    if (other === undefined) {
      try {
        await install();
      } finally {
        rmSync(lock, { force: true });
      }
      return;
    }
    if (other !== 0 && !told) {
      process.stderr.write(`nectar-byon: waiting for another set-up to finish (process ${other})\n`);
      told = true;
    }
    await new Promise((done) => setTimeout(done, other === 0 ? 0 : LOCK_POLL_MS));
  }
}

async function install() {
  const hash = lockHash();
  rmSync(stamp, { force: true });
  const count = Object.keys(JSON.parse(readFileSync(lockfile, 'utf8')).packages).length - 1;
  const stopProgress = showProgress(`first use: installing ${count} locked packages`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const child = spawn(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Packages that only development needs are wanted too: `npm test` uses the same set-up.
    env: { ...process.env, NODE_ENV: '' },
  });
  let output = '';
  const keep = (chunk) => {
    output = (output + chunk).slice(-NPM_OUTPUT_KEPT_BYTES);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const { code, error, received } = await ended(child, NPM_GRACE_MS);
  stopProgress(code === 0);
  if (error?.code === 'ENOENT') {
    throw new LaunchError('CLI_INSTALL_NPM_MISSING', 'npm is not on the PATH');
  }
  if (received !== undefined) throw new Interrupted(received);
  if (code !== 0) throw npmFailure(output);
  writeStamp(hash);
}

function npmFailure(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/.test(output)) {
    return new LaunchError('CLI_INSTALL_OFFLINE', 'the package registry does not answer');
  }
  // What is wrong comes first; npm's usage, if it prints that, after an empty line.
  const lines = output.split('\n').filter((line) => /^npm err/i.test(line));
  const told = lines.filter((line) => /^npm err\S* *\S/i.test(line)).slice(0, NPM_LINES_SHOWN);
  const reason = /ENOSPC/.test(output) ? 'no space left on the device' : told.join('\n  ') || 'it says nothing';
  return new LaunchError('CLI_INSTALL_FAILED', `npm ci ended with an error:\n  ${reason}`);
}

/** A spinner with the seconds on a terminal, a line now and then elsewhere; on stderr, since stdout may be JSON. */
function showProgress(text) {
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  const tty = process.stderr.isTTY === true;
  const frames = ['|', '/', '-', '\\'];
  let frame = 0;
  if (!tty) process.stderr.write(`nectar-byon: ${text}\n`);
  const timer = setInterval(
    () => {
      frame = (frame + 1) % frames.length;
      process.stderr.write(
        tty ? `\r${frames[frame]} ${text}, ${seconds()} s ` : `nectar-byon: still installing, ${seconds()} s\n`,
      );
    },
    tty ? PROGRESS_TTY_MS : PROGRESS_PLAIN_MS,
  );
  return (ok) => {
    clearInterval(timer);
    if (tty) process.stderr.write('\r\x1b[K');
    if (ok) process.stderr.write(`nectar-byon: packages installed in ${seconds()} s\n`);
  };
}

/** This Node when it is new enough, else the pinned one that came with the packages. */
function findRuntime() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_RUNTIME[0] || (major === OLDEST_RUNTIME[0] && minor >= OLDEST_RUNTIME[1])) return process.execPath;
  const name = join(`node-${process.platform}-${process.arch}`, 'bin', 'node');
  // Beside this package where it is installed among others, below it in a clone.
  const pinned = [join(modules, name), join(root, '..', name)].find((path) => existsSync(path));
  if (pinned !== undefined) return pinned;
  throw new LaunchError(
    'CLI_RUNTIME_MISSING',
    `no Node ${OLDEST_RUNTIME.join('.')} or newer for ${process.platform} ${process.arch} (this one is ${process.versions.node})`,
  );
}

/** Passes signals on until the child ends; one that takes longer than `graceMs` after a signal is killed. */
function ended(child, graceMs) {
  let received;
  const forward = FORWARDED.map((name) => {
    const handler = () => {
      received = name;
      child.kill(name);
      if (graceMs !== undefined) setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return new Promise((done) => {
    child.on('error', (error) => done({ code: 1, signal: null, error, received }));
    child.on('close', (code, signal) => done({ code, signal, received }));
  }).finally(() => {
    for (const off of forward) off();
  });
}

async function main(args) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_LAUNCHER_NODE) {
    throw new LaunchError('CLI_RUNTIME_MISSING', `this Node is ${process.versions.node}`);
  }
  await ensureInstalled();
  const other = args[0] === '--exec' && args[1] !== undefined;
  const script = other ? resolve(args[1]) : isClone ? join(root, 'cli', 'main.ts') : bundle;
  const runtime = findRuntime();
  if (runtime === process.execPath && !other) return runHere(script, args);
  const child = spawn(runtime, [script, ...args.slice(other ? 2 : 0)], { stdio: 'inherit' });
  const { code, signal, error } = await ended(child);
  if (error) throw error;
  return signal === null ? code : 128 + (constants.signals[signal] ?? 0);
}

/** The CLI ends the process itself. What it does not catch, Node shows. */
function runHere(script, args) {
  process.argv.splice(1, process.argv.length - 1, script, ...args);
  import(pathToFileURL(script).href);
  return new Promise(() => {});
}

function report(error, json) {
  if (error instanceof Interrupted) return error.exit;
  const code = error instanceof LaunchError ? error.code : 'CLI_INSTALL_BROKEN';
  const { remedy, exit } = ERRORS[code];
  const text = json
    ? JSON.stringify({ error: { code, message: error.message, data: {}, remedy } })
    : `nectar-byon: ${error.message}\n  ${remedy}\n  ${code}`;
  process.stderr.write(`${text}\n`);
  return exit;
}

const args = process.argv.slice(2);
main(args).then(
  (code) => process.exit(code),
  (error) => process.exit(report(error, args.includes('--json'))),
);
