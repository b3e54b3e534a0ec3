/** Requests to the API with the session's token. One renewed try after 401; every failure is a `Problem`. */
import { Problem, problemOf } from './problem';
import { bearer, refresh } from './session';

type Query = Record<string, string | number | boolean | undefined>;

interface Ask {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  accept?: string;
}

/** A JSON answer that takes longer does not come; the gateway itself gives up sooner. */
const PATIENCE_MS = 15_000;

/** Pages of one list that are followed; with 200 rows each this bounds what a browser holds. */
const MAX_PAGES = 10;

function address(path: string, query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined && value !== '') params.set(name, String(value));
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

async function send(method: string, path: string, ask: Ask): Promise<Response> {
  const headers: Record<string, string> = { authorization: `Bearer ${bearer()}`, accept: ask.accept ?? 'application/json' };
  if (ask.body !== undefined) headers['content-type'] = 'application/json';
  return reached(
    fetch(address(path, ask.query), {
      method,
      headers,
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      ...(ask.signal ? { signal: ask.signal } : {}),
    }),
  );
}

/** What breaks off on the way, or takes too long, is one kind of failure. */
async function reached<T>(way: Promise<T>): Promise<T> {
  try {
    return await way;
  } catch (error) {
    if (Problem.isAbort(error)) throw error;
    throw Problem.unreachable();
  }
}

/** The request ends when nobody wants it any more, and when it hangs. */
const within = (signal?: AbortSignal): AbortSignal =>
  signal ? AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) : AbortSignal.timeout(PATIENCE_MS);

async function answer(method: string, path: string, ask: Ask): Promise<Response> {
  let response = await send(method, path, ask);
  if (response.status === 401 && (await refresh())) response = await send(method, path, ask);
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  const response = await answer('GET', path, { ...(query ? { query } : {}), signal: within(signal) });
  return reached(response.json() as Promise<T>);
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  const response = await answer('POST', path, { body, signal: within() });
  return response.status === 204 ? ({} as T) : reached(response.json() as Promise<T>);
}

export async function getBlob(path: string, signal?: AbortSignal): Promise<Blob> {
  const response = await answer('GET', path, { accept: '*/*', ...(signal ? { signal } : {}) });
  return reached(response.blob());
}

/** All pages of a list, up to the bound; `cut` when there are more. */
export async function list<P extends { nextPageToken?: string }, T>(
  path: string,
  rows: (page: P) => T[] | undefined,
  query: Query = {},
  signal?: AbortSignal,
): Promise<{ rows: T[]; first: P; cut: boolean }> {
  const all: T[] = [];
  let first: P | undefined;
  let pageToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answered = await get<P>(path, { pageSize: 200, ...query, pageToken }, signal);
    first ??= answered;
    all.push(...(rows(answered) ?? []));
    pageToken = answered.nextPageToken;
    if (!pageToken) break;
  }
  return { rows: all, first: first as P, cut: Boolean(pageToken) };
}
