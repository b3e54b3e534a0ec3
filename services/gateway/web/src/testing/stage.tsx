/** A page's surroundings for tests: the real providers and a signed-in session. Only the network is played. */
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, configure, render } from '@testing-library/react';
import i18next from 'i18next';
import type { ReactElement } from 'react';
import { vi } from 'vitest';
import '../i18n';
import { signIn, signOut } from '../api/session';
import { Toasts } from '../parts/Toasts';
import { theme } from '../theme';

// A busy machine draws slowly; that is no fault of the page.
configure({ asyncUtilTimeout: 10_000 });
vi.setConfig({ testTimeout: 30_000 });

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}
type Answer = unknown;
/** By "GET /v1/…" without the query. A `Response` is answered as it is, anything else as JSON; a promise when it is kept. */
export type Answers = Record<string, Answer>;

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

/** A refusal as the gateway sends it. */
export const refusal = (status: number, code: string, detail = '') =>
  new Response(JSON.stringify({ code, detail, status }), { status, headers: { 'content-type': 'application/problem+json' } });

export interface Stage {
  /** What was asked after the sign-in. */
  asked: Asked[];
  /** What is answered from now on. */
  answers: Answers;
}

/** Draws `page` for a person with these permissions. */
export async function stage(page: ReactElement, permissions: string[], answers: Answers, language = 'en'): Promise<Stage> {
  const here: Stage = { asked: [], answers };
  const session: Answers = {
    'POST /v1/sessions:signIn': { accessToken: 'a', refreshToken: 'r', expireTime: new Date(Date.now() + 600_000).toISOString() },
    'POST /v1/sessions:signOut': {},
    'GET /v1/me': { user: { id: 'usr_me' }, permissions },
  };
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const [path = ''] = url.split('?');
    const name = `${init.method ?? 'GET'} ${path}`;
    if (name in session) return json(session[name]);
    here.asked.push({ method: init.method ?? 'GET', path, body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined });
    const answer = await here.answers[name];
    if (answer instanceof Response) return answer.clone();
    return answer === undefined ? refusal(404, 'not_found', 'no such thing') : json(answer);
  });
  await i18next.changeLanguage(language);
  await signIn('', 'sofia', 'secret');
  const cache = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={cache}>
        <Toasts>{page}</Toasts>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return here;
}

/** Takes everything down. */
export async function strike(): Promise<void> {
  cleanup();
  await signOut();
  vi.unstubAllGlobals();
}
