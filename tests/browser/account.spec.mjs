/**
 * What belongs to a person: the password, the session in several tabs, and a browser that keeps nothing.
 *
 * What it needs: README.md. Run: node --test account.spec.mjs
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clean, launch, person, shot, signIn } from './browser.mjs';
import { ADDRESS, credentials } from './centre.mjs';

const { supervisor, agents } = credentials();
const [, bruno, , davide] = agents;
const SOON = 15_000;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('a person changes the password', async () => {
  const page = await person(browser);
  await signIn(page, ADDRESS, davide.login, davide.password);
  await page.locator('.avbtn').click();
  await page.getByRole('menuitem', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change password' });
  await dialog.waitFor();
  await clean(page, 'the password dialog');
  await shot(page, 'password');
  const type = async (current, fresh, again = fresh) => {
    for (const [name, text] of [['current-password', current], ['new-password', fresh], ['new-password-again', again]])
      await dialog.locator(`input[name=${name}]`).fill(text);
    await dialog.getByRole('button', { name: 'Change password' }).click();
  };
  const fresh = 'a new one for the test';
  await type(davide.password, 'short');
  await dialog.getByText('Too short: 5 of').waitFor();
  await shot(page, 'password-short');
  await type(davide.password, fresh, `${fresh}!`);
  await dialog.getByText('differ').waitFor();
  await type(`${davide.password}-not`, fresh);
  await dialog.getByText('not your current password').waitFor({ timeout: SOON });
  await clean(page, 'the password dialog with an error');
  await type(davide.password, fresh);
  await dialog.waitFor({ state: 'detached', timeout: SOON });
  // The session goes on with a word about it, or the sign-in says why it is over.
  const told = page.getByText(/Your password is changed/);
  await told.first().waitFor({ timeout: SOON });
  assert.deepEqual(page.faults, []);
  await shot(page, 'password-changed');
  await page.context().close();

  const again = await person(browser);
  await again.goto(ADDRESS);
  await again.locator('input[name=username]').fill(davide.login);
  await again.locator('input[name=password]').fill(davide.password);
  await again.locator('button[type=submit]').click();
  await again.locator('[role=alert] code', { hasText: 'credentials_wrong' }).waitFor({ timeout: SOON });
  await signIn(again, ADDRESS, davide.login, fresh);
  await again.context().close();
});

test('a duplicated tab shares the session and neither ends it for the other', async () => {
  const page = await person(browser);
  await signIn(page, ADDRESS, bruno.login, bruno.password);
  // As "Duplicate tab" does: the new tab begins with a copy of this one's storage.
  const [twin] = await Promise.all([page.context().waitForEvent('page'), page.evaluate(() => void open(location.href))]);
  await twin.locator('.strip').waitFor({ timeout: SOON });
  for (let round = 0; round < 4; round += 1) {
    // Each reload renews the session, here in both tabs at the same time.
    await Promise.all([page.reload(), twin.reload()]);
    await Promise.all([page, twin].map((tab) => tab.locator('.strip').waitFor({ timeout: SOON })));
  }
  await page.reload();
  await page.locator('.strip').waitFor({ timeout: SOON });
  const tokens = await Promise.all([page, twin].map((tab) => tab.evaluate(() => sessionStorage.getItem('centro.session'))));
  assert.equal(tokens[0], tokens[1], 'both have the newest tokens');

  // They end together, too.
  await page.locator('.avbtn').click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  for (const tab of [page, twin]) await tab.locator('input[name=username]').waitFor({ timeout: SOON });
  assert.equal(await twin.evaluate(() => sessionStorage.length), 0);
  await page.context().close();
});

test('a browser that forbids storage shows the pages all the same', async () => {
  const page = await person(browser, { language: 'it-IT' });
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('storage is forbidden', 'SecurityError');
        },
      });
  });
  await signIn(page, ADDRESS, supervisor.login, supervisor.password);
  assert.equal(await page.locator('#page-title').innerText(), 'Code adesso');
  await page.locator('.conn[data-at=live]').waitFor({ timeout: SOON });
  await page.locator('.avbtn').click();
  await page.getByRole('menuitemradio', { name: 'English' }).click();
  await page.getByText('Queues now').first().waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
