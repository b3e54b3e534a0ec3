/**
 * Who is signed in. Owns the access token (memory only) and the refresh token (this tab's sessionStorage), rotates them
 * before they expire and when the API says 401, and tells the pages which of three states we are in.
 */
import { useSyncExternalStore } from 'react';
import { Problem, problemOf } from './problem';
import { instant, me as readMe, type Me } from './read';
import type { MeWire, SessionWire } from './types';

export type SessionState =
  /** Looking whether the tab still has a session. */
  | { at: 'starting' }
  /** `ended`: there was a session and it is over without our doing. */
  | { at: 'out'; ended: boolean }
  | { at: 'in'; me: Me };

const STORED = 'centro.refresh';
/** Never sleep longer than this or wake earlier than that, whatever the clocks say. */
const REFRESH_MIN_MS = 15_000;
const REFRESH_MAX_MS = 10 * 60_000;

/** When to rotate a token that lives for `lifeMs`: with a fifth of its life left, within the limits. */
export function rotateAfter(lifeMs: number): number {
  return Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MIN_MS, lifeMs * 0.8));
}

let state: SessionState = { at: 'starting' };
let accessToken = '';
let timer: ReturnType<typeof setTimeout> | undefined;
let refreshing: Promise<boolean> | undefined;
/** Counts sign-ins and sign-outs, so that a late answer of an older session changes nothing. */
let generation = 0;
const listeners = new Set<() => void>();

function become(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

async function post(path: string, body: unknown): Promise<Response> {
  try {
    return await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw Problem.unreachable();
  }
}

function keep(session: SessionWire, sentAt: string | null): void {
  accessToken = session.accessToken ?? '';
  if (session.refreshToken) sessionStorage.setItem(STORED, session.refreshToken);
  clearTimeout(timer);
  // The server's own clock, where it says it: ours may be wrong by minutes.
  const from = Date.parse(sentAt ?? '') || Date.now();
  const life = (instant(session.expireTime) ?? from) - from;
  timer = setTimeout(() => void refresh(), rotateAfter(life));
}

function forget(ended: boolean): void {
  generation += 1;
  accessToken = '';
  clearTimeout(timer);
  sessionStorage.removeItem(STORED);
  become({ at: 'out', ended });
}

async function askMe(): Promise<Me> {
  const response = await fetch('/v1/me', { headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' } }).catch(
    () => {
      throw Problem.unreachable();
    },
  );
  if (!response.ok) throw await problemOf(response);
  return readMe((await response.json()) as MeWire);
}

/**
 * Exchanges the refresh token, once at a time. True: there is a fresh access token. False: the session is over.
 * Throws `unreachable` (or a 5xx problem) when nobody could say; the session is kept and it is tried again.
 */
export function refresh(): Promise<boolean> {
  refreshing ??= exchange().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

async function exchange(): Promise<boolean> {
  const token = sessionStorage.getItem(STORED);
  const mine = generation;
  if (!token) {
    forget(state.at === 'in');
    return false;
  }
  try {
    const response = await post('/v1/sessions:refresh', { refreshToken: token });
    if (mine !== generation) return false;
    if (!response.ok) throw await problemOf(response);
    keep((await response.json()) as SessionWire, response.headers.get('date'));
    return true;
  } catch (error) {
    if (mine !== generation) return false;
    if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) {
      forget(true);
      return false;
    }
    clearTimeout(timer);
    timer = setTimeout(() => void refresh().catch(() => {}), REFRESH_MIN_MS);
    throw error;
  }
}

/** Signs in; throws the problem when refused. */
export async function signIn(tenant: string, login: string, password: string): Promise<void> {
  const response = await post('/v1/sessions:signIn', { ...(tenant ? { tenant } : {}), login, password });
  if (!response.ok) throw await problemOf(response);
  generation += 1;
  keep((await response.json()) as SessionWire, response.headers.get('date'));
  become({ at: 'in', me: await askMe() });
}

/** Ends the session here at once, and on the server as soon as it answers. */
export async function signOut(): Promise<void> {
  const token = sessionStorage.getItem(STORED);
  forget(false);
  if (token) await post('/v1/sessions:signOut', { refreshToken: token }).catch(() => undefined);
}

let resuming: Promise<void> | undefined;
/** Called once at the start: takes up the session this tab had before a reload. */
export function resume(): Promise<void> {
  resuming ??= (async () => {
    if (!sessionStorage.getItem(STORED)) {
      become({ at: 'out', ended: false });
      return;
    }
    for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
      try {
        if (await refresh()) become({ at: 'in', me: await askMe() });
        return;
      } catch (error) {
        if (error instanceof Problem && error.status >= 400 && error.status < 500) {
          forget(true);
          return;
        }
        // The server is away; the tab waits for it with "Starting…".
        await new Promise((wake) => setTimeout(wake, wait));
      }
    }
  })();
  return resuming;
}

/** The token for the next request. */
export const bearer = (): string => accessToken;

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** The person signed in. Only for pages behind the sign-in. */
export function useMe(): Me {
  const session = useSession();
  if (session.at !== 'in') throw new Error('no session');
  return session.me;
}
