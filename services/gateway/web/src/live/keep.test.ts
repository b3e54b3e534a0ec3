import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../api/problem';
import type { CloudEvent } from '../api/types';
import { keepFresh } from './keep';
import { asOf, current, ledger } from './pulse';
import type { LiveHandlers } from './socket';

const NOON = new Date(2026, 10, 23, 12).getTime();
const event = (type: string): CloudEvent => ({ specversion: '1.0', id: '1', source: 'x', type });

let cache: QueryClient;
let stream: LiveHandlers;
let stop: () => void;
let unmount: (() => void)[];
/** How often each snapshot was asked for, and what comes of it. */
let asked: Record<string, number>;
let answer: Record<string, () => Promise<unknown>>;

const show = (snapshot: string) => {
  const observer = new QueryObserver(cache, {
    queryKey: [snapshot],
    retry: false,
    networkMode: 'always',
    queryFn: () => {
      asked[snapshot] = (asked[snapshot] ?? 0) + 1;
      return (answer[snapshot] ?? (() => Promise.resolve(asked[snapshot])))();
    },
  });
  unmount.push(observer.subscribe(() => undefined));
};
const away = () => Promise.reject(new Problem(503, 'unavailable', ''));
/** Time passes while the stream gives its signs of life. */
const pass = async (ms: number, heartbeats = true) => {
  for (let at = 0; at < ms; at += 500) {
    if (heartbeats && at % 2000 === 0) stream.message({ kind: 'heartbeat' });
    await vi.advanceTimersByTimeAsync(500);
  }
};

beforeEach(async () => {
  vi.useFakeTimers({ now: NOON });
  cache = new QueryClient();
  unmount = [];
  asked = {};
  answer = {};
  stop = keepFresh(cache, (handlers) => {
    stream = handlers;
    return () => undefined;
  });
  show('queues');
  await vi.advanceTimersByTimeAsync(0);
  stream.up(true);
  await pass(1000);
  asked = {};
});
afterEach(() => {
  for (const off of unmount) off();
  stop();
  cache.clear();
  vi.useRealTimers();
});

describe('keepFresh', () => {
  it('reads again slowly although nothing happens', async () => {
    await pass(60_000);
    expect(asked.queues).toBeGreaterThanOrEqual(4);
    expect(asked.queues).toBeLessThanOrEqual(6);
    expect(current()).toBe('live');
  });

  it('tries again after a failed refresh, ever more slowly, and is not live until one succeeds', async () => {
    answer.queues = away;
    stream.message({ kind: 'event', event: event('routing.contact.queued') });
    await pass(4000);
    expect(asked.queues).toBeGreaterThanOrEqual(3);
    expect(ledger.trouble('queues')?.error).toMatchObject({ code: 'unavailable' });
    const before = asOf();
    await pass(4000);
    // The stream beats on; the page does not call that live, and "as of" stays with the data.
    expect(current()).toBe('stale');
    expect(asOf()).toBe(before);
    const tries = asked.queues ?? 0;
    await pass(60_000);
    expect((asked.queues ?? 0) - tries).toBeLessThanOrEqual(6);
    delete answer.queues;
    await pass(16_000);
    expect(current()).toBe('live');
    expect(ledger.trouble('queues')).toBeUndefined();
    expect(asOf()).toBeGreaterThan(before ?? 0);
  });

  it('repairs one failure without a word', async () => {
    answer.queues = away;
    stream.message({ kind: 'event', event: event('routing.contact.queued') });
    await vi.advanceTimersByTimeAsync(10);
    delete answer.queues;
    await pass(2000);
    expect(asked.queues).toBe(2);
    expect(ledger.trouble('queues')).toBeUndefined();
    expect(current()).toBe('live');
  });

  it('waits as long as the server asks, and events do not hurry it', async () => {
    answer.queues = () => Promise.reject(new Problem(429, 'busy', '', [], 6000));
    stream.message({ kind: 'event', event: event('routing.contact.queued') });
    await pass(5000);
    stream.message({ kind: 'event', event: event('routing.contact.queued') });
    await pass(500);
    expect(asked.queues).toBe(1);
    await pass(1500);
    expect(asked.queues).toBe(2);
  });

  it('tries what failed at once when the stream comes back', async () => {
    answer.queues = away;
    stream.message({ kind: 'event', event: event('routing.contact.queued') });
    await pass(8000);
    delete answer.queues;
    stream.up(false);
    stream.up(true);
    await vi.advanceTimersByTimeAsync(300);
    expect(ledger.failing('queues')).toBe(false);
  });

  it('is not live while a page of several snapshots misses one of them', async () => {
    answer.agents = away;
    show('agents');
    await pass(6000);
    expect(current()).toBe('connecting');
    expect(ledger.trouble('agents')).toBeDefined();
    expect(asked.agents).toBeGreaterThanOrEqual(3);
  });

  it.each(['own', 'contacts', 'today'])('keeps %s fresh the same way', async (snapshot) => {
    show(snapshot);
    await pass(1000);
    asked = {};
    answer[snapshot] = away;
    stream.message({ kind: 'event', event: event('routing.contact.left') });
    await pass(4000);
    expect(asked[snapshot]).toBeGreaterThanOrEqual(2);
    expect(ledger.trouble(snapshot as 'own')).toBeDefined();
    delete answer[snapshot];
    await pass(16_000);
    expect(ledger.trouble(snapshot as 'own')).toBeUndefined();
  });

  it('counts a section that fails by itself neither as the page nor into "as of"', async () => {
    show('contacts');
    await pass(1000);
    answer.contacts = away;
    stream.message({ kind: 'event', event: event('telephony.recording.finished') });
    await pass(40_000);
    expect(current()).toBe('live');
    expect(Date.now() - (asOf() ?? 0)).toBeLessThan(13_000);
  });

  it('reads the day anew at midnight', async () => {
    show('today');
    const midnight = new Date(2026, 10, 24).getTime();
    vi.setSystemTime(midnight - 1000);
    await pass(500);
    asked = {};
    await pass(1500);
    expect(asked.today).toBeGreaterThanOrEqual(1);
  });

  it('polls while the stream is down, and is stale when the polls fail', async () => {
    stream.up(false);
    await pass(10_000, false);
    expect(asked.queues).toBeGreaterThanOrEqual(4);
    expect(current()).toBe('reconnecting');
    answer.queues = away;
    await pass(8000, false);
    expect(current()).toBe('stale');
  });

  it('marks what is not on the page as old, for when it is', async () => {
    cache.setQueryData(['users'], 'names');
    stream.message({ kind: 'event', event: event('identity.user.changed') });
    await pass(1000);
    expect(asked.users).toBeUndefined();
    expect(cache.getQueryState(['users'])?.isInvalidated).toBe(true);
  });
});
