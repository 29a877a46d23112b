import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { renderHtml } from '../../hardening/report/html/page.ts';
import type { Report } from '../../hardening/report/report.ts';
import { exampleReport } from '../unit/hardening/report/fixture.ts';
import { launchBrowser, noBrowser } from './browser.ts';
import { clippedNumbers, closedOnPaper, openedWidth, paperColour, poorContrast } from './page-probes.ts';

const PHONE = { width: 390, height: 844 };
const LAPTOP = { width: 1440, height: 900 };
/** The least contrast of text by WCAG 2.2, 1.4.3. */
const LEAST_CONTRAST = 4.5;

/** More than two digits can number. */
const MANY = 120;

/** A report with as many things to do. */
function manyFailures(): Report {
  const report = exampleReport('nectar-gateway');
  const failure = report.results.find(({ verdict }) => verdict === 'fail');
  assert.ok(failure);
  const results = Array.from({ length: MANY }, (_, index) => ({
    ...failure,
    ...{ check: `BYON-CTR-${100 + index}`, remediation: { any: `Correct thing ${index} by hand.` } },
  }));
  return { ...report, results };
}

describe('the HTML report in a browser', { skip: noBrowser }, () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'nectar-report-'));
  const noise: string[] = [];

  before(async () => {
    browser = await launchBrowser();
    writeFileSync(join(folder, 'hostile.html'), renderHtml(exampleReport()));
    const long = 'a-name-without-any-place-to-break-it'.repeat(12);
    writeFileSync(join(folder, 'long.html'), renderHtml(exampleReport(long)));
    writeFileSync(join(folder, 'many.html'), renderHtml(manyFailures()));
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, options: BrowserContextOptions): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    const address = pathToFileURL(join(folder, name)).href;
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(error.message));
    page.on('dialog', (dialog) => noise.push(dialog.message()));
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) noise.push(request.url());
    });
    await page.goto(address);
    return page;
  }

  for (const name of ['hostile.html', 'long.html']) {
    for (const viewport of [PHONE, LAPTOP]) {
      it(`fits ${viewport.width} pixels, everything opened (${name})`, async () => {
        const page = await open(name, { viewport });
        const { needed, given } = await page.evaluate(openedWidth);
        assert.equal(needed, given);
        await page.context().close();
      });
    }
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has text that can be read in the ${colorScheme} scheme`, async () => {
      const page = await open('hostile.html', { viewport: LAPTOP, colorScheme });
      const texts = await page.evaluate(poorContrast, LEAST_CONTRAST);
      assert.ok(texts.seen > 200, `${texts.seen} texts`);
      assert.deepEqual(texts.poor, []);
      await page.context().close();
    });
  }

  it('shows on paper all that needs a person, of the rest a line, in light colours', async () => {
    const page = await open('hostile.html', { viewport: LAPTOP, colorScheme: 'dark' });
    assert.ok((await page.evaluate(closedOnPaper)).length > 0, 'something is folded on the screen');
    await page.emulateMedia({ media: 'print' });
    const closed = await page.evaluate(closedOnPaper);
    const settled = exampleReport().results.flatMap(({ verdict }, index) =>
      verdict === 'pass' || verdict === 'not-applicable' ? [`check-${index}`] : [],
    );
    assert.deepEqual(closed.toSorted(), settled);
    assert.deepEqual((await page.evaluate(poorContrast, LEAST_CONTRAST)).poor, []);
    assert.equal(await page.evaluate(paperColour), 'rgb(255, 255, 255)');
    assert.ok((await page.pdf({ format: 'A4' })).length > 10_000);
    await page.context().close();
  });

  it('cuts off no number of a list, on the screen or on paper', async () => {
    const page = await open('many.html', { viewport: LAPTOP });
    for (const media of ['screen', 'print'] as const) {
      await page.emulateMedia({ media });
      const { seen, clipped } = await page.evaluate(clippedNumbers, 'ol');
      assert.deepEqual([seen, clipped], [MANY, []], media);
    }
    await page.context().close();
  });

  it('says on paper of what does not apply why, and no more', async () => {
    const page = await open('hostile.html', { viewport: LAPTOP });
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.check.not-applicable').first().isVisible(), false);
    assert.match((await page.locator('.idle').textContent()) ?? '', /^1 check: /);
    await page.context().close();
  });

  it('opens a check when a link leads to it', async () => {
    const page = await open('hostile.html', { viewport: PHONE });
    const closed = page.locator('details.check:not([open])').first();
    const place = await closed.locator('.body').getAttribute('id');
    await page.goto(`${page.url()}#${place}`);
    await page.locator(`details.check[open] #${place}`).waitFor({ state: 'visible' });
    await page.context().close();
  });

  it('asked the network for nothing, ran nothing, and the browser complained of nothing', () => {
    assert.deepEqual(noise, []);
  });
});
