/**
 * Who is signed in. Owns the access token (memory only) and the refresh token (this tab's sessionStorage), rotates them
 * before they expire and when the API says 401, together with the tabs that share the session (api/tabs.ts), and tells
 * the pages which of three states we are in.
 */
import { useSyncExternalStore } from 'react';
import { Problem, problemOf } from './problem';
import { instant, me as readMe, type Me } from './read';
import { Tabs, type Renewed, type Tokens } from './tabs';
import type { MeWire, SessionWire } from './types';
import { forgetStored, store, stored } from '../storage';

/** Why nobody is signed in: at the start, by sign-out, because the session is over, or because the password was changed. */
export type OutWhy = 'start' | 'left' | 'ended' | 'password';

export type SessionState =
  /** Looking whether the tab still has a session. */
  | { at: 'starting' }
  | { at: 'out'; why: OutWhy }
  | { at: 'in'; me: Me };

const STORED = 'centro.session';
/** Never sleep longer than this or wake earlier than that, whatever the clocks say. */
const REFRESH_MIN_MS = 15_000;
const REFRESH_MAX_MS = 10 * 60_000;
/** No answer for so long is none. */
const PATIENCE_MS = 15_000;

/** When to rotate a token that lives for `lifeMs`: with a fifth of its life left, within the limits. */
export function rotateAfter(lifeMs: number): number {
  return Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MIN_MS, lifeMs * 0.8));
}

let state: SessionState = { at: 'starting' };
let accessToken = '';
let expiresAt = 0;
/** The tokens of this tab; absent when nobody is signed in. */
let held: Tokens | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** The refresh token is on its way and is not to be sent by anybody else. */
let posting = false;
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
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw Problem.unreachable();
  }
}

/** What the tab had before a reload, or what it was duplicated with. */
function storedTokens(): Tokens | undefined {
  try {
    const { family, seq, refreshToken } = JSON.parse(stored('session', STORED) ?? '{}') as Partial<Tokens>;
    return family && refreshToken ? { family, seq: seq ?? 0, refreshToken } : undefined;
  } catch {
    return undefined;
  }
}

let tabs: Tabs | undefined;
const others = (): Tabs =>
  (tabs ??= new Tabs({
    newest: () => held && { ...held, accessToken, expiresAt },
    busy: () => posting,
    adopt: (tokens) => {
      if (held?.family === tokens.family && tokens.seq > held.seq) hold(tokens);
    },
    over: (family) => {
      if (held?.family === family) forget('ended');
    },
  }));

function hold(tokens: Renewed): void {
  ({ accessToken, expiresAt } = tokens);
  held = { family: tokens.family, seq: tokens.seq, refreshToken: tokens.refreshToken };
  store('session', STORED, JSON.stringify(held));
  later(rotateAfter(expiresAt - Date.now()));
}

function later(ms: number): void {
  clearTimeout(timer);
  // Who could not be asked is asked again by the timer that `exchange` sets.
  timer = setTimeout(() => void refresh().catch(() => undefined), ms);
}

function keep(session: SessionWire, sentAt: string | null, before: Pick<Tokens, 'family' | 'seq' | 'refreshToken'>): void {
  // The server's own clock, where it says it: ours may be wrong by minutes.
  const from = Date.parse(sentAt ?? '') || Date.now();
  const life = (instant(session.expireTime) ?? from) - from;
  const tokens: Renewed = {
    family: before.family,
    seq: before.seq + 1,
    refreshToken: session.refreshToken || before.refreshToken,
    accessToken: session.accessToken ?? '',
    expiresAt: Date.now() + life,
  };
  hold(tokens);
  others().renewed(tokens);
}

function forget(why: OutWhy): void {
  generation += 1;
  accessToken = '';
  held = undefined;
  clearTimeout(timer);
  forgetStored('session', STORED);
  become({ at: 'out', why });
}

/** Forgets a session that is over for every tab. */
function end(why: OutWhy): void {
  const family = held?.family;
  forget(why);
  if (family) others().ended(family);
}

async function askMe(): Promise<Me> {
  const response = await fetch('/v1/me', {
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch(() => {
    throw Problem.unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  return readMe((await response.json()) as MeWire);
}

/**
 * Exchanges the refresh token, once at a time in all tabs. True: there is a fresh access token. False: the session is
 * over, and the person is told why. Throws `unreachable` (or a 5xx problem) when nobody could say; the session is kept
 * and it is tried again.
 */
export function refresh(why: OutWhy = 'ended'): Promise<boolean> {
  refreshing ??= exchange(why).finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

async function exchange(why: OutWhy): Promise<boolean> {
  const mine = generation;
  const wanted = held;
  if (!wanted) {
    forget(state.at === 'in' ? why : 'start');
    return false;
  }
  return others().exclusively(wanted.family, async () => {
    try {
      await others().ask(wanted);
      if (mine !== generation) return false;
      const newest = held ?? wanted;
      // Another tab was faster; what it got is ours too.
      if (newest.seq > wanted.seq && accessToken) return true;
      posting = true;
      const response = await post('/v1/sessions:refresh', { refreshToken: newest.refreshToken });
      if (mine !== generation) return false;
      if (!response.ok) throw await problemOf(response);
      keep((await response.json()) as SessionWire, response.headers.get('date'), newest);
      return true;
    } catch (error) {
      if (mine !== generation) return false;
      if (isOver(error)) {
        end(why);
        return false;
      }
      later(REFRESH_MIN_MS);
      throw error instanceof Problem ? error : Problem.unreachable();
    } finally {
      posting = false;
    }
  });
}

/** The server says that this will not work any more, rather than not now. */
const isOver = (error: unknown): boolean => error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429;

/** Signs in; throws the problem when refused. */
export async function signIn(tenant: string, login: string, password: string): Promise<void> {
  const response = await post('/v1/sessions:signIn', { ...(tenant ? { tenant } : {}), login, password });
  if (!response.ok) throw await problemOf(response);
  generation += 1;
  // Not crypto.randomUUID: that needs https. The name only tells sessions of one browser apart.
  const family = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  keep((await response.json()) as SessionWire, response.headers.get('date'), { family, seq: 0, refreshToken: '' });
  become({ at: 'in', me: await askMe() });
}

/** Ends the session here and in its other tabs at once, and on the server as soon as it answers. */
export async function signOut(): Promise<void> {
  const token = held?.refreshToken;
  end('left');
  if (token) await post('/v1/sessions:signOut', { refreshToken: token }).catch(() => undefined);
}

let resuming: Promise<void> | undefined;
/** Called once at the start: takes up the session this tab had before a reload. */
export function resume(): Promise<void> {
  resuming ??= (async () => {
    held = storedTokens();
    if (!held) {
      become({ at: 'out', why: 'start' });
      return;
    }
    for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
      try {
        if (await refresh()) become({ at: 'in', me: await askMe() });
        return;
      } catch (error) {
        if (isOver(error)) {
          forget('ended');
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
