/** The centre as the scripts see it: its API, and its telephones by the commands they were given. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const need = (name) => process.env[name] ?? assert.fail(`${name} is not set; see README.md`);
export const ADDRESS = need('CENTRO_HTTP');

/** What `centro run --credentials-file` wrote: people, queues, numbers of the demo tenant. */
export const credentials = () => JSON.parse(readFileSync(need('CENTRO_CREDENTIALS'), 'utf8'));

/** A person's access token, straight from the API. */
export async function tokenOf(login, password) {
  const answer = await fetch(new URL('/v1/sessions:signIn', ADDRESS), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password, ...(process.env.CENTRO_TENANT ? { tenant: process.env.CENTRO_TENANT } : {}) }),
  });
  assert.equal(answer.status, 200, `sign-in answered ${answer.status}`);
  return (await answer.json()).accessToken;
}

/** Asks the API itself, so that the page is measured against the centre and not against the phone. */
export async function api(token, path, { method = 'GET', body } = {}) {
  const answer = await fetch(new URL(path, ADDRESS), {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : {};
}

/** Asks until the answer is the wanted one, and gives it. */
export async function eventually(what, timeout, ask) {
  const end = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `${what}: not within ${timeout} ms`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** When the API first says that so many wait. */
export const waitingSince = (token, wanted, timeout) =>
  eventually(`${wanted} callers wait`, timeout, async () => {
    const { queues = [] } = await api(token, '/v1/queue-statuses');
    return queues.reduce((sum, queue) => sum + (queue.waiting ?? 0), 0) === wanted && Date.now();
  });

export function placeCall() {
  // A group of its own: the command may be a shell with children, and all of them have to end.
  const call = spawn('sh', ['-c', need('CENTRO_PLACE_CALL')], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
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

/** The agent's phone takes the call that rings. */
export const answerCall = () => execFileSync('sh', ['-c', need('CENTRO_ANSWER_CALL')]);
