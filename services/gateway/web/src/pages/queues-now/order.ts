/** What needs a supervisor first: the health of a queue at an instant, and the order of queues and agents. */
import type { AgentStatus, CallQueue, QueueStatus, User } from '../../api/read';
import type { Mix } from '../../parts/State';
import { need, statusOf } from '../../parts/status';

export type Health = 'bad' | 'warn' | 'ok' | 'idle';

export interface Judged {
  health: Health;
  /** Why, where it is not plain: nobody is logged in, or the wait is over the target. */
  why: 'nobody' | 'over' | undefined;
  /** How long the longest waits; 0 when nobody does. */
  longestMs: number;
}

/** A wait of so many targets needs somebody at once. */
const ACT_AT_TARGETS = 3;

export function judge(queue: QueueStatus, targetMs: number | undefined, now: number): Judged {
  const longestMs = queue.longestWaitSince === undefined ? 0 : Math.max(0, now - queue.longestWaitSince);
  if (queue.waiting === 0) return { health: queue.loggedIn === 0 ? 'idle' : 'ok', why: undefined, longestMs };
  if (queue.loggedIn === 0) return { health: 'bad', why: 'nobody', longestMs };
  if (targetMs !== undefined && longestMs > targetMs)
    return { health: longestMs > targetMs * ACT_AT_TARGETS ? 'bad' : 'warn', why: 'over', longestMs };
  return { health: 'ok', why: undefined, longestMs };
}

const RANK: Readonly<Record<Health, number>> = { bad: 0, warn: 1, ok: 2, idle: 3 };

export interface QueueRow extends Judged {
  queue: QueueStatus;
  settings: CallQueue | undefined;
}

/** The worst first; among equals the longer wait, then more callers, then by name. */
export function queueRows(queues: readonly QueueStatus[], settings: ReadonlyMap<string, CallQueue> | undefined, now: number): QueueRow[] {
  return queues
    .map((queue) => {
      const own = settings?.get(queue.queueId);
      return { queue, settings: own, ...judge(queue, own?.targetMs, now) };
    })
    .sort(
      (a, b) =>
        RANK[a.health] - RANK[b.health] ||
        (a.queue.longestWaitSince ?? Infinity) - (b.queue.longestWaitSince ?? Infinity) ||
        b.queue.waiting - a.queue.waiting ||
        a.queue.displayName.localeCompare(b.queue.displayName),
    );
}

/** The agents of a queue by state. A phone that is not registered cannot respond. */
export function mixOf(queue: QueueStatus): Mix {
  return {
    available: queue.ready,
    ringing: queue.alerting,
    call: queue.inContact,
    wrap: queue.inWrapUp,
    paused: queue.paused,
    missed: queue.notResponding + queue.unreachable,
    out: 0,
  };
}

export interface AgentRow extends AgentStatus {
  name: string;
}

/**
 * Agents to look after first; in one state the longest in it first, people logged out by name. People who may serve
 * queues and have no status yet are logged out.
 */
export function agentRows(statuses: readonly AgentStatus[], users: ReadonlyMap<string, User> | undefined): AgentRow[] {
  const rows: AgentRow[] = statuses.map((status) => ({ ...status, name: users?.get(status.agentId)?.displayName || shortId(status.agentId) }));
  const known = new Set(statuses.map((status) => status.agentId));
  for (const user of users?.values() ?? []) {
    if (known.has(user.id) || user.disabled || !user.roles.includes('ROLE_AGENT')) continue;
    rows.push({
      agentId: user.id,
      state: 'AGENT_STATE_LOGGED_OUT',
      since: undefined,
      chosen: 'AGENT_STATE_LOGGED_OUT',
      pauseReason: '',
      deviceId: '',
      deviceOnline: false,
      queueIds: [],
      contactQueueId: '',
      caller: undefined,
      wrapUpUntil: undefined,
      name: user.displayName,
    });
  }
  const away = (row: AgentRow) => row.state === 'AGENT_STATE_LOGGED_OUT';
  return rows.sort(
    (a, b) =>
      need(statusOf(a.state)) - need(statusOf(b.state)) ||
      (away(a) ? 0 : (a.since ?? Infinity) - (b.since ?? Infinity)) ||
      a.name.localeCompare(b.name) ||
      a.agentId.localeCompare(b.agentId),
  );
}

/** Something to show of a person whose name we may not see: ids of one hour begin alike and differ at the end. */
export const shortId = (id: string): string => (id.length > 12 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id);
