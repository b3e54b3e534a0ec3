/** Opens Debian's Chromium the way headless machines need it, and looks at pages with axe. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CENTRO_CHROMIUM ?? '/usr/bin/chromium',
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...FLAGS],
  });

/** A person at a browser: language, colour scheme and width are theirs. */
export async function person(browser, { language = 'en-GB', scheme = 'light', width = 1440 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 800 ? 844 : 900 },
    locale: language,
    colorScheme: scheme,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  return page;
}

export async function signIn(page, address, login, password) {
  await page.goto(address);
  await page.locator('input[name=username]').fill(login);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.locator('#page-title').waitFor();
}

/** WCAG 2.0 to 2.2, A and AA. The answer is empty when all is well, else one line per finding. */
export async function violations(page) {
  const { violations: found } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze();
  return found.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`));
}

/** Whether something is wider than the window. */
export const overflows = (page) =>
  page.evaluate(
    () =>
      document.documentElement.scrollWidth > innerWidth + 1 ||
      [...document.querySelectorAll('.main, .page')].some((part) => part.scrollWidth > part.clientWidth + 1),
  );

const SHOTS = process.env.CENTRO_SHOTS;

/** A picture for people to look at, where somebody wants one. */
export async function shot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** Nothing is wrong with what the page shows now. */
export async function clean(page, name) {
  assert.deepEqual(await violations(page), [], `axe on ${name}`);
  assert.equal(await overflows(page), false, `${name} is wider than its window`);
  assert.deepEqual(page.faults, [], `faults on ${name}`);
}
