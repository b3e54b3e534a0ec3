/**
 * The snapshots behind the pages, as react-query hooks. The first word of each key is a `Snapshot`: events make whole
 * snapshots old (live/affected.ts), and live/keep.ts asks for them again, also after failures.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ledger } from '../live/pulse';
import { learnClock, serverTime } from '../time/clock';
import { startOfDay } from '../time/format';
import { get, list, post } from './client';
import {
  agentStatus,
  callQueue,
  contact,
  instant,
  queueCallerFigures,
  queueStatus,
  user,
  type AgentStatus,
  type CallQueue,
  type Contact,
  type QueueCallerFigures,
  type QueueStatus,
  type User,
} from './read';
import type {
  AgentStatusWire,
  CallQueueWire,
  ContactWire,
  DeviceWire,
  NumberWire,
  QueueCallerFiguresWire,
  QueueStatusWire,
  UserWire,
} from './types';

interface Paged {
  nextPageToken?: string;
  asOf?: string;
}

/** Changes rarely: read once, then only when an event says so. */
const SLOW = { staleTime: Infinity } as const;

/** A list as far as a browser holds it. */
export interface Listed<T> {
  rows: T[];
  /** There are more than these. */
  cut: boolean;
}
/** The same, to look things up. */
export interface Known<T> {
  byId: ReadonlyMap<string, T>;
  cut: boolean;
}
const known = <T extends { id: string }>(rows: T[], cut: boolean): Known<T> => ({ byId: new Map(rows.map((row) => [row.id, row])), cut });

export const useQueueStatuses = (enabled = true) =>
  useQuery<Listed<QueueStatus>>({
    queryKey: ['queues'],
    enabled,
    queryFn: async ({ signal }) => {
      const { rows, first, cut } = await list<Paged & { queues?: QueueStatusWire[] }, QueueStatusWire>('/v1/queue-statuses', (p) => p.queues, {}, signal);
      learnClock(instant(first.asOf));
      ledger.dated('queues', instant(first.asOf));
      return { rows: rows.map(queueStatus), cut };
    },
  });

export const useAgentStatuses = (enabled = true) =>
  useQuery<Listed<AgentStatus>>({
    queryKey: ['agents'],
    enabled,
    queryFn: async ({ signal }) => {
      const { rows, first, cut } = await list<Paged & { agents?: AgentStatusWire[] }, AgentStatusWire>('/v1/agents', (p) => p.agents, {}, signal);
      learnClock(instant(first.asOf));
      ledger.dated('agents', instant(first.asOf));
      return { rows: rows.map(agentStatus), cut };
    },
  });

export const useOwnStatus = (enabled = true) =>
  useQuery<AgentStatus>({
    queryKey: ['own'],
    enabled,
    queryFn: async ({ signal }) => agentStatus(await get<AgentStatusWire>('/v1/agents/me', undefined, signal)),
  });

/** The latest contacts, one page. */
export const useLastContacts = (enabled = true) =>
  useQuery<Contact[]>({
    queryKey: ['contacts'],
    enabled,
    queryFn: async ({ signal }) => {
      const page = await get<{ contacts?: ContactWire[] }>('/v1/contacts', { pageSize: 20 }, signal);
      return (page.contacts ?? []).map(contact);
    },
  });

export interface Today {
  /** Midnight of the day the figures are of. */
  day: number;
  total: QueueCallerFigures;
  byQueue: Map<string, QueueCallerFigures>;
}
/** Queue-caller figures since midnight. */
export const useToday = (enabled = true) =>
  useQuery<Today>({
    queryKey: ['today'],
    enabled,
    queryFn: async ({ signal }) => {
      const now = serverTime();
      const day = startOfDay(now);
      const report = await get<{ total?: QueueCallerFiguresWire; queues?: QueueCallerFiguresWire[] }>(
        '/v1/reports/queue-callers',
        // A little into the future: what happens this second belongs to today.
        { from: new Date(day).toISOString(), to: new Date(now + 60_000).toISOString() },
        signal,
      );
      const queues = (report.queues ?? []).map(queueCallerFigures);
      return { day, total: queueCallerFigures(report.total), byQueue: new Map(queues.map((q) => [q.queueId, q])) };
    },
  });

export const useUsers = (enabled = true) =>
  useQuery<Known<User>>({
    queryKey: ['users'],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const { rows, cut } = await list<Paged & { users?: UserWire[] }, UserWire>('/v1/users', (p) => p.users, {}, signal);
      return known(rows.map(user), cut);
    },
  });

export const useCallQueues = (enabled = true) =>
  useQuery<Known<CallQueue>>({
    queryKey: ['callQueues'],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const { rows, cut } = await list<Paged & { callQueues?: CallQueueWire[] }, CallQueueWire>('/v1/call-queues', (p) => p.callQueues, {}, signal);
      return known(rows.map(callQueue), cut);
    },
  });

export interface DialledNumber {
  id: string;
  e164: string;
  displayName: string;
}
/** Numbers that lead somewhere. */
export const useNumbers = (enabled = true) =>
  useQuery<DialledNumber[]>({
    queryKey: ['numbers'],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const page = await get<{ numbers?: NumberWire[] }>('/v1/numbers', { pageSize: 50 }, signal);
      return (page.numbers ?? [])
        .filter((n) => n.dialPlanId)
        .map((n) => ({ id: n.id ?? '', e164: n.e164 ?? '', displayName: n.displayName ?? '' }));
    },
  });

export interface Device {
  id: string;
  displayName: string;
  extension: string;
}
/** The phones of a person, or one's own ("me"). Everybody may see the own ones; others need "agents.manage". */
export const useDevicesOf = (userId: string, enabled = true) =>
  useQuery<Device[]>({
    queryKey: ['devices', userId],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const page = await get<{ devices?: DeviceWire[] }>('/v1/devices', { userId, pageSize: 50 }, signal);
      return (page.devices ?? []).map((d) => ({ id: d.id ?? '', displayName: d.displayName ?? '', extension: d.extension ?? '' }));
    },
  });

export type AgentVerb = 'logIn' | 'logOut' | 'setReady' | 'pause' | 'endWrapUp' | 'extendWrapUp';
export interface AgentAct {
  /** A user id, or "me". */
  agentId: string;
  verb: AgentVerb;
  body?: Record<string, unknown>;
}

/** Acts on an agent. The answer is the new status, drawn at once; the event that follows confirms it. */
export function useAgentAct() {
  const cache = useQueryClient();
  return useMutation<AgentStatus, Error, AgentAct>({
    mutationFn: async ({ agentId, verb, body }) => agentStatus(await post<AgentStatusWire>(`/v1/agents/${agentId}:${verb}`, body ?? {})),
    onSuccess: (status, { agentId }) => {
      if (agentId === 'me') cache.setQueryData(['own'], status);
      cache.setQueryData<Listed<AgentStatus>>(['agents'], (old) =>
        old && { ...old, rows: old.rows.map((agent) => (agent.agentId === status.agentId ? status : agent)) },
      );
      void cache.invalidateQueries({ queryKey: ['own'] });
      void cache.invalidateQueries({ queryKey: ['agents'] });
      void cache.invalidateQueries({ queryKey: ['queues'] });
      void cache.invalidateQueries({ queryKey: ['reasons'] });
    },
  });
}
