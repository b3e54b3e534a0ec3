/**
 * The page "Queues now" of a running centre, in a real browser, with a real call.
 *
 *   CENTRO_HTTP        address of the centre, e.g. http://127.0.0.1:8080
 *   CENTRO_LOGIN       a person who may see the floor (supervisor, admin, owner)
 *   CENTRO_PASSWORD
 *   CENTRO_TENANT      only where the installation has several
 *   CENTRO_PLACE_CALL  shell command that places one call which waits in a queue until the command is ended
 *   CENTRO_END_SIGNAL  how to end it (default SIGINT: sipp and the like hang up first)
 *   CENTRO_SHOTS       folder for screenshots; without it none are written
 *   CENTRO_CHROMIUM    the browser (default /usr/bin/chromium)
 *
 * Run: node --test queues-now.spec.mjs
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, overflows, person, signIn, violations } from './browser.mjs';

const need = (name) => process.env[name] ?? assert.fail(`${name} is not set; see the head of this file`);
const ADDRESS = need('CENTRO_HTTP');
const LOGIN = need('CENTRO_LOGIN');
const PASSWORD = need('CENTRO_PASSWORD');
const PLACE_CALL = need('CENTRO_PLACE_CALL');
const SHOTS = process.env.CENTRO_SHOTS;
/** From the moment a caller waits until the page shows it, and the same for leaving. */
const SEEN_WITHIN_MS = 2000;
/** Setting the call up (the phone's own start, INVITE, announcements) before it waits. */
const CALL_WITHIN_MS = 30_000;

let browser;
before(async () => {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  browser = await launch();
});
after(() => browser?.close());

const shot = async (page, name) => {
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`) });
};
const clean = async (page, name) => {
  assert.deepEqual(await violations(page), [], `axe on ${name}`);
  assert.equal(await overflows(page), false, `${name} is wider than its window`);
  assert.deepEqual(page.faults, [], `faults on ${name}`);
};
const waitingCount = (page) =>
  page.evaluate(() => [...document.querySelectorAll('[data-waiting]')].reduce((sum, cell) => sum + Number(cell.dataset.waiting), 0));
const becomes = (page, wanted, timeout) =>
  page.waitForFunction(
    (count) => [...document.querySelectorAll('[data-waiting]')].reduce((sum, cell) => sum + Number(cell.dataset.waiting), 0) === count,
    wanted,
    { timeout, polling: 20 },
  );

/** Asks the API itself, so that the page is measured against the centre and not against the phone. */
async function api(token, path) {
  const answer = await fetch(new URL(path, ADDRESS), { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, `${path} answered ${answer.status}`);
  return answer.json();
}
async function tokenOf() {
  const answer = await fetch(new URL('/v1/sessions:signIn', ADDRESS), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: LOGIN, password: PASSWORD, ...(process.env.CENTRO_TENANT ? { tenant: process.env.CENTRO_TENANT } : {}) }),
  });
  assert.equal(answer.status, 200, `sign-in answered ${answer.status}`);
  return (await answer.json()).accessToken;
}
/** When the API first says that so many wait. */
async function waitingSince(token, wanted, timeout) {
  const end = Date.now() + timeout;
  for (;;) {
    const { queues = [] } = await api(token, '/v1/queue-statuses');
    if (queues.reduce((sum, queue) => sum + (queue.waiting ?? 0), 0) === wanted) return Date.now();
    assert.ok(Date.now() < end, `the centre did not come to ${wanted} waiting within ${timeout} ms`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

function placeCall() {
  // A group of its own: the command may be a shell with children, and all of them have to end.
  const call = spawn('sh', ['-c', PLACE_CALL], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [call.stdout, call.stderr]) stream.on('data', (data) => (said = (said + data).slice(-4000)));
  const ended = new Promise((done) => call.on('exit', done));
  return {
    said: () => said,
    running: () => call.exitCode === null && call.signalCode === null,
    end: async () => {
      const kill = (signal) => {
        try {
          process.kill(-call.pid, signal);
        } catch {
          // It ended by itself.
        }
      };
      kill(process.env.CENTRO_END_SIGNAL ?? 'SIGINT');
      const late = setTimeout(() => kill('SIGKILL'), 8000);
      await ended;
      clearTimeout(late);
    },
  };
}

test('a wrong password is told as a sentence with its code, and nothing opens', async () => {
  const page = await person(browser);
  await page.goto(ADDRESS);
  await clean(page, 'sign-in');
  await shot(page, 'sign-in');
  await page.locator('input[name=username]').fill(LOGIN);
  await page.locator('input[name=password]').fill(`${PASSWORD}-not`);
  await page.locator('button[type=submit]').click();
  const alert = page.locator('[role=alert] code');
  await alert.waitFor();
  assert.match(await alert.innerText(), /^[a-z0-9_]+$/);
  assert.equal(await page.locator('#page-title').count(), 0);
  await clean(page, 'refused sign-in');
  await page.context().close();
});

test('a call appears in its queue while it waits, and leaves with the caller', async (t) => {
  const page = await person(browser);
  await signIn(page, ADDRESS, LOGIN, PASSWORD);
  assert.match(page.url(), /\/queues-now$/);
  await page.locator('.conn[data-at=live]').waitFor({ timeout: 10_000 });
  await page.locator('[data-waiting]').first().waitFor();
  await clean(page, 'Queues now before the call');
  await shot(page, 'queues-now-quiet');

  const token = await tokenOf();
  const before = await waitingCount(page);
  const call = placeCall();
  try {
    const arrived = await waitingSince(token, before + 1, CALL_WITHIN_MS).catch((error) => {
      throw new Error(`${error.message}; the command said: ${call.said()}`);
    });
    await becomes(page, before + 1, SEEN_WITHIN_MS);
    t.diagnostic(`the call was on the page ${Date.now() - arrived} ms after the API had it`);
    assert.ok(call.running(), `the command ended by itself; it said: ${call.said()}`);
    const row = page.locator('tr.inset [data-contact]').first();
    await row.waitFor({ timeout: SEEN_WITHIN_MS });

    // The wait ticks by itself.
    const wait = row.locator('time');
    const first = await wait.innerText();
    await page.waitForFunction(([cell, text]) => cell.innerText !== text, [await wait.elementHandle(), first], { timeout: 3000 });

    await clean(page, 'Queues now with a call');
    await shot(page, 'queues-now-call');

    for (const [name, options] of [
      ['queues-now-call-it', { language: 'it-IT' }],
      ['queues-now-call-dark', { scheme: 'dark' }],
      ['queues-now-call-390', { width: 390 }],
      ['queues-now-call-360-it', { width: 360, language: 'it-IT' }],
    ]) {
      const other = await person(browser, options);
      await signIn(other, ADDRESS, LOGIN, PASSWORD);
      await other.locator('tr.inset [data-contact]').first().waitFor({ timeout: 10_000 });
      assert.equal(await other.evaluate(() => document.documentElement.lang), options.language ? 'it' : 'en');
      if (options.language) assert.equal(await other.locator('#page-title').innerText(), 'Code adesso');
      await clean(other, name);
      await shot(other, name);
      await other.context().close();
    }
  } finally {
    await call.end();
  }
  const left = await waitingSince(token, before, 10_000);
  await becomes(page, before, SEEN_WITHIN_MS);
  t.diagnostic(`it was gone from the page ${Date.now() - left} ms after the API`);

  // What happened is told below.
  await page.locator('section[aria-labelledby=contacts-title] [data-contact]').first().waitFor({ timeout: 5000 });
  await shot(page, 'queues-now-left');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the session survives a reload and ends with sign-out', async () => {
  const page = await person(browser);
  await signIn(page, ADDRESS, LOGIN, PASSWORD);
  await page.reload();
  await page.locator('#page-title').waitFor();
  await page.locator('.avbtn').click();
  await page.getByRole('menuitem').last().waitFor();
  await clean(page, 'the menu of the person');
  await shot(page, 'person-menu');
  await page.getByRole('menuitem').last().click();
  await page.locator('input[name=username]').waitFor();
  await page.reload();
  await page.locator('input[name=username]').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.context().close();
});

test('the desk opens and is clean', async () => {
  const page = await person(browser);
  await signIn(page, ADDRESS, LOGIN, PASSWORD);
  await page.locator('.side a[href="/desk"]').click();
  await page.locator('.strip').waitFor();
  await clean(page, 'My desk');
  await shot(page, 'desk');
  await page.context().close();
});
