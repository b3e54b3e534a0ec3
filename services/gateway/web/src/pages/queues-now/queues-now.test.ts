import { describe, expect, it } from 'vitest';
import { agentStatus, callQueue, queueStatus, user } from '../../api/read';
import type { AgentState } from '../../api/types';
import { verbsFor } from './AgentMenu';
import { agentRows, judge, mixOf, queueRows } from './order';
import { outcomeTone, outcomeWord } from './outcome';

const NOW = Date.UTC(2026, 10, 23, 10);
const ago = (s: number) => new Date(NOW - s * 1000).toISOString();
const queue = (name: string, waiting: number, since: number | undefined, loggedIn: number) =>
  queueStatus({ queueId: name, displayName: name, waiting, agentsLoggedIn: loggedIn, ...(since === undefined ? {} : { longestWaitSince: ago(since) }) });

describe('judge', () => {
  it('acts when callers wait and nobody is logged in', () => {
    expect(judge(queue('a', 1, 2, 0), 20_000, NOW)).toMatchObject({ health: 'bad', why: 'nobody' });
  });
  it('watches over the target and acts at three times the target', () => {
    expect(judge(queue('a', 1, 20, 3), 20_000, NOW).health).toBe('ok');
    expect(judge(queue('a', 1, 21, 3), 20_000, NOW)).toMatchObject({ health: 'warn', why: 'over' });
    expect(judge(queue('a', 1, 61, 3), 20_000, NOW).health).toBe('bad');
  });
  it('is quiet with nobody there and on target with nobody waiting', () => {
    expect(judge(queue('a', 0, undefined, 0), 20_000, NOW).health).toBe('idle');
    expect(judge(queue('a', 0, undefined, 2), 20_000, NOW).health).toBe('ok');
  });
  it('judges no wait without a target', () => {
    expect(judge(queue('a', 1, 900, 1), undefined, NOW).health).toBe('ok');
  });
});

describe('queueRows', () => {
  it('puts the worst first, then the longer wait, then the name', () => {
    const settings = new Map(['a', 'b', 'c', 'd', 'e'].map((id) => [id, callQueue({ id, serviceLevel: { targetPercent: 80, within: '20s' } })]));
    const rows = queueRows(
      [queue('e', 0, undefined, 0), queue('b', 0, undefined, 1), queue('a', 0, undefined, 1), queue('c', 1, 30, 1), queue('d', 1, 90, 1)],
      settings,
      NOW,
    );
    expect(rows.map((row) => row.queue.queueId)).toEqual(['d', 'c', 'a', 'b', 'e']);
  });
});

describe('mixOf', () => {
  it('counts an agent whose phone is not registered as not responding', () => {
    const mix = mixOf(queueStatus({ agentsLoggedIn: 6, agentsReady: 1, agentsPaused: 1, agentsInContact: 1, agentsInWrapUp: 1, agentsNotResponding: 0, agentsAlerting: 1, agentsUnreachable: 1 }));
    expect(mix).toMatchObject({ available: 1, ringing: 1, call: 1, wrap: 1, paused: 1, missed: 1 });
  });
});

describe('agentRows', () => {
  const of = (agentId: string, state: AgentState, since: number) => agentStatus({ agentId, state, since: ago(since) });
  it('sorts by need, longest first, and adds agents without a status as logged out', () => {
    const users = new Map(
      [
        user({ id: 'z', displayName: 'Zoe', roles: ['ROLE_AGENT'] }),
        user({ id: 'x', displayName: 'Off', roles: ['ROLE_AGENT'], disabled: true }),
        user({ id: 's', displayName: 'Sup', roles: ['ROLE_SUPERVISOR'] }),
      ].map((u) => [u.id, u]),
    );
    const rows = agentRows(
      [of('1', 'AGENT_STATE_READY', 10), of('2', 'AGENT_STATE_READY', 20), of('3', 'AGENT_STATE_NOT_RESPONDING', 1), of('4', 'AGENT_STATE_WRAP_UP', 1)],
      users,
    );
    expect(rows.map((row) => row.agentId)).toEqual(['3', '4', '2', '1', 'z']);
    expect(rows.at(-1)).toMatchObject({ name: 'Zoe', state: 'AGENT_STATE_LOGGED_OUT' });
  });
});

describe('verbsFor', () => {
  it.each<[AgentState, AgentState, string[]]>([
    ['AGENT_STATE_LOGGED_OUT', 'AGENT_STATE_LOGGED_OUT', ['logIn']],
    ['AGENT_STATE_READY', 'AGENT_STATE_READY', ['pause', 'logOut']],
    ['AGENT_STATE_NOT_RESPONDING', 'AGENT_STATE_READY', ['setReady', 'pause', 'logOut']],
    ['AGENT_STATE_PAUSED', 'AGENT_STATE_PAUSED', ['setReady', 'logOut']],
    ['AGENT_STATE_WRAP_UP', 'AGENT_STATE_READY', ['endWrapUp', 'extendWrapUp', 'pause', 'logOut']],
    ['AGENT_STATE_CONNECTED', 'AGENT_STATE_LOGGED_OUT', ['setReady', 'pause']],
  ])('%s, chosen %s', (state, chosen, verbs) => {
    expect(verbsFor({ state, chosen })).toEqual(verbs);
  });
});

describe('outcomeWord', () => {
  const base = { outcome: undefined, leftReason: undefined, connectTime: undefined, endTime: undefined };
  it('tells what is still going on', () => {
    expect(outcomeWord(base)).toBe('waiting');
    expect(outcomeWord({ ...base, connectTime: 1 })).toBe('inCall');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_HANDLED', connectTime: 1 })).toBe('inCall');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_HANDLED', connectTime: 1, endTime: 2 })).toBe('answered');
  });
  it('prefers the reason where the system or a person ended it', () => {
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_EVICTED_SYSTEM', leftReason: 'LEFT_REASON_TIMEOUT' })).toBe('timeout');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_EVICTED_SYSTEM', leftReason: 'LEFT_REASON_QUEUE_FULL' })).toBe('full');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_EVICTED_SYSTEM' })).toBe('evicted');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_EVICTED_CUSTOMER', leftReason: 'LEFT_REASON_DTMF_EXIT' })).toBe('exit');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_ABANDONED', leftReason: 'LEFT_REASON_ABANDONED' })).toBe('abandoned');
    expect(outcomeWord({ ...base, outcome: 'OUTCOME_EVICTED_USER' })).toBe('removed');
  });
  it('has a colour for each', () => {
    expect(outcomeTone('answered')).toBe('ok');
    expect(outcomeTone('abandoned')).toBe('warn');
    expect(outcomeTone('failure')).toBe('bad');
  });
});
