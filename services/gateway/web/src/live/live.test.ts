import { describe, expect, it } from 'vitest';
import { SNAPSHOTS, affected, settlesLater } from './affected';
import { Problem } from '../api/problem';
import { GRACE_MS, OLD_AFTER_MS, STALE_AFTER_MS, freshness } from './freshness';
import { retryIn } from './ledger';
import { readMessage, retryAfter } from './message';

describe('affected', () => {
  it('knows what each kind of event makes old', () => {
    expect(affected('routing.contact.queued')).toContain('queues');
    expect(affected('routing.contact.left')).toEqual(expect.arrayContaining(['queues', 'contacts', 'today']));
    expect(affected('routing.agent.state_changed')).toEqual(expect.arrayContaining(['queues', 'agents', 'own']));
    expect(affected('telephony.recording.finished')).toEqual(['contacts']);
    expect(affected('configuration.object.changed')).toContain('callQueues');
    expect(affected('identity.user.deleted')).toContain('users');
  });
  it('leaves the page alone for kinds it does not know', () => {
    expect(affected('identity.session.refused')).toEqual([]);
    expect(affected('')).toEqual([]);
  });
  it('names only snapshots there are, and waits only for reports', () => {
    for (const kind of ['routing.contact.', 'telephony.call.', 'telephony.device.', 'identity.user.'])
      for (const snapshot of affected(kind)) expect(SNAPSHOTS).toContain(snapshot);
    expect(SNAPSHOTS.filter(settlesLater)).toEqual(['contacts', 'today']);
  });
});

describe('readMessage', () => {
  it('tells events, heartbeats and gaps apart', () => {
    const event = { specversion: '1.0', id: '1', source: 'x', type: 'routing.contact.queued', data: {} };
    expect(readMessage(JSON.stringify(event))).toEqual({ kind: 'event', event });
    expect(readMessage('{"type":"heartbeat"}')).toEqual({ kind: 'heartbeat' });
    expect(readMessage('{"type":"lagged"}')).toEqual({ kind: 'lagged' });
  });
  it.each([['not json'], ['null'], ['[]'], ['{"type":5}'], ['{"type":"hello"}'], [new ArrayBuffer(2)]])('survives %s', (text) => {
    expect(readMessage(text)).toEqual({ kind: 'unknown' });
  });
});

describe('retryAfter', () => {
  it('is at once first, then doubles to a ceiling, with jitter around it', () => {
    expect(retryAfter(0, () => 1)).toBeLessThanOrEqual(100);
    expect(retryAfter(1, () => 0.5)).toBe(500);
    expect(retryAfter(3, () => 0.5)).toBe(2000);
    expect(retryAfter(30, () => 0.5)).toBe(10_000);
    expect(retryAfter(3, () => 0)).toBeLessThan(retryAfter(3, () => 1));
  });
});

describe('freshness', () => {
  const up = { up: true, downAt: 0, heardAt: 100_000 };
  const down = { up: false, downAt: 100_000, heardAt: 100_000 };
  const fresh = (readAt: number, dirtyAt = 0, shownAt = 0) => [{ readAt, dirtyAt, shownAt }];
  it('is stale after five seconds of silence, stream or not', () => {
    expect(freshness(up, fresh(100_000), 100_000 + STALE_AFTER_MS)).toBe('live');
    expect(freshness(up, fresh(100_000), 100_001 + STALE_AFTER_MS)).toBe('stale');
    expect(freshness(down, fresh(100_000), 100_001 + STALE_AFTER_MS)).toBe('stale');
  });
  it('is stale when an event was not read for five seconds, whatever the stream says', () => {
    expect(freshness(up, fresh(99_000, 100_000 - STALE_AFTER_MS), 100_000)).toBe('live');
    expect(freshness(up, fresh(99_000, 99_999 - STALE_AFTER_MS), 100_000)).toBe('stale');
  });
  it('is as old as the oldest snapshot shown', () => {
    expect(freshness(up, [...fresh(100_000), ...fresh(99_999 - OLD_AFTER_MS)], 100_000)).toBe('stale');
    expect(freshness(up, [...fresh(100_000), ...fresh(100_000 - OLD_AFTER_MS)], 100_000)).toBe('live');
    expect(freshness(up, [...fresh(100_000), ...fresh(0)], 100_000)).toBe('connecting');
  });
  it('asks for recent polls while the stream is down', () => {
    const heard = { ...down, heardAt: 120_000 };
    expect(freshness(heard, fresh(120_000 - STALE_AFTER_MS), 120_000)).toBe('reconnecting');
    expect(freshness(heard, fresh(119_999 - STALE_AFTER_MS), 120_000)).toBe('stale');
  });
  it('gives a snapshot that was just opened the time to be read', () => {
    expect(freshness(up, fresh(10_000, 20_000, 98_000), 100_000)).toBe('live');
    expect(freshness(up, fresh(10_000, 20_000, 94_000), 100_000)).toBe('stale');
  });
  it('says nothing about a stream that comes right back', () => {
    expect(freshness(down, fresh(100_000), 100_000 + GRACE_MS - 1)).toBe('live');
    expect(freshness(down, fresh(100_000), 100_000 + GRACE_MS)).toBe('reconnecting');
  });
  it('is connecting before anything was heard', () => {
    expect(freshness({ up: false, downAt: 0, heardAt: 0 }, [], 1e12)).toBe('connecting');
    expect(freshness({ up: false, downAt: 0, heardAt: 5000 }, [], 5001)).toBe('connecting');
  });
});

describe('retryIn', () => {
  it('doubles from a second to a ceiling, and waits as long as the server says', () => {
    const away = new Problem(503, 'unavailable', '');
    expect([1, 2, 3, 4, 5, 30].map((n) => retryIn(n, away))).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(retryIn(1, new Problem(429, 'busy', '', [], 7000))).toBe(7000);
  });
  it('does not press on after a refusal', () => {
    expect(retryIn(1, new Problem(403, 'forbidden', ''))).toBe(60_000);
  });
});
