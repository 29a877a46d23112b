import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where distributions put Chromium. Nothing is downloaded: what is not installed is not used. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

export const chromiumPath: string | undefined = PLACES.find((path) => existsSync(path));

/** The reason to skip a test that needs a browser; in CI there is none, and the test fails where Chromium is missing. */
export const noBrowser: string | false =
  chromiumPath === undefined && process.env.CI !== 'true' ? 'no Chromium here: apt-get install chromium' : false;

export function launchBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('no Chromium here: apt-get install chromium');
  // Chromium's own sandbox refuses to run as root; the pages are ours and load nothing.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: chromiumPath, args });
}
