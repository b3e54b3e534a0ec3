import { describe, expect, it } from 'vitest';
import { SNAPSHOTS, affected, settlesLater } from './affected';
import { STALE_AFTER_MS, freshness } from './freshness';
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
  it('is stale after five seconds of silence, stream or not', () => {
    expect(freshness({ up: true, heardAt: 1000 }, 1000 + STALE_AFTER_MS)).toBe('live');
    expect(freshness({ up: true, heardAt: 1000 }, 1001 + STALE_AFTER_MS)).toBe('stale');
    expect(freshness({ up: false, heardAt: 1000 }, 2000)).toBe('reconnecting');
    expect(freshness({ up: false, heardAt: 1000 }, 9000)).toBe('stale');
  });
  it('is not stale before anything was ever heard', () => {
    expect(freshness({ up: false, heardAt: 0 }, 1e12)).toBe('reconnecting');
  });
});
