/**
 * The page "Queues now" of a running centre, in a real browser, with a real call.
 *
 * What it needs: README.md. Run: node --test queues-now.spec.mjs
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clean, launch, person, shot, signIn } from './browser.mjs';
import { ADDRESS, api, need, placeCall, tokenOf, waitingSince } from './centre.mjs';

const LOGIN = need('CENTRO_LOGIN');
const PASSWORD = need('CENTRO_PASSWORD');
/** From the moment a caller waits until the page shows it, and the same for leaving. */
const SEEN_WITHIN_MS = 2000;
/** Setting the call up (the phone's own start, INVITE, announcements) before it waits. */
const CALL_WITHIN_MS = 30_000;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const waitingCount = (page) =>
  page.evaluate(() => [...document.querySelectorAll('[data-waiting]')].reduce((sum, cell) => sum + Number(cell.dataset.waiting), 0));
const becomes = (page, wanted, timeout) =>
  page.waitForFunction(
    (count) => [...document.querySelectorAll('[data-waiting]')].reduce((sum, cell) => sum + Number(cell.dataset.waiting), 0) === count,
    wanted,
    { timeout, polling: 20 },
  );

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

  const token = await tokenOf(LOGIN, PASSWORD);
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

  // The wait is in the mean, and the word above it says what it means.
  await page.getByText(/^mean \d+:\d\d of \d/).first().waitFor({ timeout: SEEN_WITHIN_MS });
  await page.getByRole('button', { name: 'Expected wait' }).hover();
  assert.match(await page.getByRole('tooltip').innerText(), /Mean wait of the contacts that left the queue in the last 15 minutes/);
  await clean(page, 'the definition of a figure');
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

test('a page whose snapshots cannot be refreshed does not call itself live, and recovers', async () => {
  const page = await person(browser);
  await signIn(page, ADDRESS, LOGIN, PASSWORD);
  await page.locator('.conn[data-at=live]').waitFor({ timeout: 10_000 });
  await page.locator('[data-waiting]').first().waitFor();
  // The stream goes on and its heartbeats arrive; only the snapshot fails.
  const away = { status: 503, contentType: 'application/problem+json', body: JSON.stringify({ code: 'unavailable' }) };
  await page.route('**/v1/queue-statuses*', (route) => route.fulfill(away));
  const call = placeCall();
  try {
    const notice = page.locator('.note.warn code', { hasText: 'unavailable' });
    await notice.waitFor({ timeout: CALL_WITHIN_MS });
    await page.locator('.conn[data-at=stale]').waitFor({ timeout: 10_000 });
    assert.equal(await page.locator('[data-waiting]').first().getAttribute('data-waiting'), '0', 'it cannot know of the call');
    const asOf = page.locator('.head .tag.bad');
    const then = await asOf.innerText();
    await clean(page, 'a page that cannot be refreshed');
    await shot(page, 'queues-now-not-refreshed');
    await page.waitForTimeout(2500); // a heartbeat passes
    assert.equal(await asOf.innerText(), then, 'a heartbeat is no news of the queues');
    await page.unroute('**/v1/queue-statuses*');
    await page.locator('.conn[data-at=live]').waitFor({ timeout: 20_000 });
    await becomes(page, 1, SEEN_WITHIN_MS);
    await notice.waitFor({ state: 'detached' });
  } finally {
    await call.end();
  }
  await becomes(page, 0, CALL_WITHIN_MS);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a section that cannot be read says so and can be tried again', async () => {
  const page = await person(browser);
  const away = { status: 503, contentType: 'application/problem+json', body: JSON.stringify({ code: 'storage_unavailable' }) };
  await page.route('**/v1/contacts*', (route) => route.fulfill(away));
  await page.route('**/v1/users*', (route) => route.fulfill(away));
  await signIn(page, ADDRESS, LOGIN, PASSWORD);
  const contacts = page.locator('section[aria-labelledby=contacts-title]');
  const agents = page.locator('section[aria-labelledby=agents-title]');
  await contacts.locator('.note.bad').waitFor();
  await agents.locator('.note.bad').waitFor();
  await clean(page, 'sections that cannot be read');
  await shot(page, 'queues-now-missing');
  // A click asks at once; it is clicked while the answer is still a refusal, so that the note cannot go before.
  const asked = page.waitForRequest('**/v1/contacts*');
  await contacts.locator('.note button').click();
  await asked;
  await page.unroute('**/v1/contacts*');
  await contacts.locator('.note').waitFor({ state: 'detached', timeout: 20_000 });
  await page.unroute('**/v1/users*');
  // Without a click too: it is tried again by itself.
  await agents.locator('.note').waitFor({ state: 'detached', timeout: 20_000 });
  assert.match(await agents.innerText(), /Anna/);
  await page.context().close();
});

test('a fault of one page leaves the rest standing', async () => {
  const page = await person(browser);
  // A server of another version: a name that is no text.
  await page.route('**/v1/users*', (route) => route.fulfill({ json: { users: [{ id: 'usr_1', displayName: 5, roles: ['ROLE_AGENT'] }] } }));
  await page.goto(ADDRESS);
  await page.locator('input[name=username]').fill(LOGIN);
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('button[type=submit]').click();
  await page.locator('.main code', { hasText: 'page_error' }).waitFor({ timeout: 10_000 });
  await clean(page, 'a page with a fault');
  await shot(page, 'fault');
  await page.locator('.side a[href="/desk"]').click();
  await page.locator('.strip').waitFor();
  await page.unroute('**/v1/users*');
  await page.reload();
  await page.locator('.side a[href="/queues-now"]').click();
  await page.locator('[data-waiting]').first().waitFor();
  await page.context().close();
});
