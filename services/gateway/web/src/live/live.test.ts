import { describe, expect, it } from 'vitest';
import { SNAPSHOTS, affected, settlesLater } from './affected';
import { GRACE_MS, STALE_AFTER_MS, freshness } from './freshness';
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
  const up = { up: true, downAt: 0, heardAt: 1000 };
  const down = { up: false, downAt: 10_000, heardAt: 10_000 };
  it('is stale after five seconds of silence, stream or not', () => {
    expect(freshness(up, 1000 + STALE_AFTER_MS)).toBe('live');
    expect(freshness(up, 1001 + STALE_AFTER_MS)).toBe('stale');
    expect(freshness(down, 10_001 + STALE_AFTER_MS)).toBe('stale');
  });
  it('says nothing about a stream that comes right back', () => {
    expect(freshness(down, 10_000 + GRACE_MS - 1)).toBe('live');
    expect(freshness(down, 10_000 + GRACE_MS)).toBe('reconnecting');
  });
  it('is connecting before anything was heard', () => {
    expect(freshness({ up: false, downAt: 0, heardAt: 0 }, 1e12)).toBe('connecting');
    expect(freshness({ up: false, downAt: 0, heardAt: 5000 }, 5001)).toBe('connecting');
  });
});
