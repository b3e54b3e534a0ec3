/**
 * The page "My desk" as an agent uses it, with a real phone and a real call, and the recording a supervisor hears of it.
 *
 * What it needs: README.md. Run: node --test desk.spec.mjs
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clean, launch, person, shot, signIn } from './browser.mjs';
import { ADDRESS, answerCall, api, credentials, eventually, placeCall, tokenOf } from './centre.mjs';

const { owner, supervisor, agents, queues } = credentials();
const [anna, , chiara] = agents;
/** Anything that needs no timer, on a busy machine. */
const SOON = 15_000;
/** How long they talk; the recording has at least most of it. */
const TALK_MS = 3000;

let browser;
let ownerToken;
before(async () => {
  browser = await launch();
  ownerToken = await tokenOf(owner.login, owner.password);
});
after(() => browser?.close());

const strip = (page, state) => page.locator(`.strip[data-state=AGENT_STATE_${state}]`).waitFor({ timeout: SOON });
const press = (page, name) => page.locator('.strip').getByRole('button', { name, exact: true }).click();
const statusOf = (agent) => api(ownerToken, `/v1/agents/${agent.user_id}`);

test('an agent logs in, pauses, takes a call, and a supervisor hears its recording', async () => {
  const page = await person(browser);
  await signIn(page, ADDRESS, anna.login, anna.password);
  assert.match(page.url(), /\/desk$/, 'an agent lands on the desk');
  await strip(page, 'LOGGED_OUT');
  await clean(page, 'the desk, logged out');
  await shot(page, 'desk-out');
  assert.equal(await page.locator('.strip').getByRole('combobox').count(), 0, 'with one phone there is nothing to choose');
  await press(page, 'Log in paused');
  await strip(page, 'PAUSED');
  await press(page, 'Ready');
  await strip(page, 'READY');
  await clean(page, 'the desk, ready');
  await shot(page, 'desk-ready');
  await press(page, 'Pause');
  await strip(page, 'PAUSED');
  await shot(page, 'desk-paused');
  await press(page, 'Ready');
  await strip(page, 'READY');

  const call = placeCall();
  try {
    await strip(page, 'ALERTING');
    await clean(page, 'the desk, ringing');
    await shot(page, 'desk-ringing');
    answerCall();
    await strip(page, 'CONNECTED');
    await clean(page, 'the desk, in call');
    await shot(page, 'desk-call');
    for (const [name, options] of [
      ['desk-call-it', { language: 'it-IT' }],
      ['desk-call-dark', { scheme: 'dark' }],
      ['desk-call-390', { width: 390 }],
    ]) {
      const other = await person(browser, options);
      await signIn(other, ADDRESS, anna.login, anna.password);
      await strip(other, 'CONNECTED');
      await clean(other, name);
      await shot(other, name);
      await other.context().close();
    }
    await page.waitForTimeout(TALK_MS);
  } finally {
    await call.end();
  }

  // The queue decides whether an agent may end the wrap-up; a change of its settings reaches the open page.
  await strip(page, 'WRAP_UP');
  const endWrapUp = page.locator('.strip').getByRole('button', { name: 'End wrap-up' });
  const queue = await api(ownerToken, `/v1/call-queues/${queues[0].id}`);
  assert.ok(!queue.agentMayEndWrapUp, 'a new queue does not allow it');
  assert.equal(await endWrapUp.count(), 0);
  await clean(page, 'the desk, in wrap-up');
  await shot(page, 'desk-wrap-up');
  await api(ownerToken, `/v1/call-queues/${queues[0].id}`, { method: 'PATCH', body: { agentMayEndWrapUp: true } });
  await endWrapUp.waitFor({ timeout: SOON });
  await shot(page, 'desk-wrap-up-endable');
  await endWrapUp.click();
  await strip(page, 'READY');
  await press(page, 'Log out');
  await strip(page, 'LOGGED_OUT');
  assert.deepEqual(page.faults, []);
  await page.context().close();

  const floor = await person(browser);
  await signIn(floor, ADDRESS, supervisor.login, supervisor.password);
  const row = floor.locator('section[aria-labelledby=contacts-title] [data-contact]').first();
  await row.getByText('Answered').waitFor({ timeout: SOON });
  assert.match(await row.innerText(), /\+15550001111[\s\S]*Sales[\s\S]*Anna/);
  const talked = await row.locator('td time').last().getAttribute('datetime');
  assert.ok(Number(/PT(\d+)S/.exec(talked)?.[1]) >= TALK_MS / 1000 - 1, `they talked ${talked}`);
  await row.getByRole('button', { name: /^Play the recording of \+15550001111/ }).click();
  const audio = row.locator('audio');
  await audio.waitFor({ timeout: SOON });
  await floor.waitForFunction((player) => player.duration > 0 && player.currentTime > 0.5, await audio.elementHandle(), { timeout: SOON });
  const { duration, error } = await audio.evaluate((player) => ({ duration: player.duration, error: player.error?.message }));
  assert.equal(error, undefined);
  assert.ok(duration >= TALK_MS / 1000 - 0.5 && duration < 60, `the recording lasts ${duration} s`);
  await clean(floor, 'a recording that plays');
  await shot(floor, 'recording');
  await floor.context().close();
});

test('an agent with two phones chooses one, and so does a supervisor', async () => {
  const second = await api(ownerToken, '/v1/devices', { method: 'POST', body: { displayName: 'Home office', userId: chiara.user_id } });
  const page = await person(browser);
  await signIn(page, ADDRESS, chiara.login, chiara.password);
  await strip(page, 'LOGGED_OUT');
  const choice = page.locator('.strip').getByRole('combobox');
  await choice.waitFor({ timeout: SOON });
  await clean(page, 'the desk with two phones');
  await shot(page, 'desk-two-phones');
  await choice.click();
  await page.getByRole('option', { name: /Home office/ }).click();
  await press(page, 'Log in paused');
  await strip(page, 'PAUSED');
  assert.equal((await statusOf(chiara)).deviceId, second.id);
  await press(page, 'Log out');
  await strip(page, 'LOGGED_OUT');

  const floor = await person(browser);
  await signIn(floor, ADDRESS, supervisor.login, supervisor.password);
  const row = floor.locator(`[data-agent=${chiara.user_id}]`);
  await row.getByRole('button', { name: /^Actions for/ }).click();
  await floor.getByRole('menuitem', { name: /Home office/ }).waitFor({ timeout: SOON });
  await clean(floor, 'the menu of an agent with two phones');
  await shot(floor, 'agent-menu-two-phones');
  await floor.getByRole('menuitem', { name: new RegExp(chiara.extension) }).click();
  await eventually('Chiara is logged in with the other phone', SOON, async () => (await statusOf(chiara)).deviceId === chiara.device_id);

  // A pause has its reason wherever the pause is drawn.
  await api(ownerToken, `/v1/agents/${chiara.user_id}:pause`, { method: 'POST', body: { reason: 'Lunch' } });
  await row.getByText('Lunch').waitFor({ timeout: SOON });
  await page.locator('.strip [data-reason]', { hasText: 'Lunch' }).waitFor({ timeout: SOON });
  await clean(floor, 'an agent who pauses for a reason');
  await shot(floor, 'agents-pause-reason');
  await shot(page, 'desk-pause-reason');
  await floor.context().close();
  await page.context().close();
});
