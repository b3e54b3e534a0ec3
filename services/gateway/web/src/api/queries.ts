/**
 * The snapshots behind the pages, as react-query hooks. The first word of each key is a `Snapshot`: events make whole
 * snapshots old (live/affected.ts). Each answer also proves that the server is there (live/pulse.ts).
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { heard } from '../live/pulse';
import { learnClock, serverNow } from '../time/clock';
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

const SLOW = { staleTime: Infinity, retry: 3 } as const;

export const useQueueStatuses = (enabled = true) =>
  useQuery<QueueStatus[]>({
    queryKey: ['queues'],
    enabled,
    queryFn: async ({ signal }) => {
      const { rows, first } = await list<Paged & { queues?: QueueStatusWire[] }, QueueStatusWire>('/v1/queue-statuses', (p) => p.queues, {}, signal);
      learnClock(instant(first.asOf));
      heard();
      return rows.map(queueStatus);
    },
  });

export const useAgentStatuses = (enabled = true) =>
  useQuery<AgentStatus[]>({
    queryKey: ['agents'],
    enabled,
    queryFn: async ({ signal }) => {
      const { rows, first } = await list<Paged & { agents?: AgentStatusWire[] }, AgentStatusWire>('/v1/agents', (p) => p.agents, {}, signal);
      learnClock(instant(first.asOf));
      heard();
      return rows.map(agentStatus);
    },
  });

export const useOwnStatus = (enabled = true) =>
  useQuery<AgentStatus>({
    queryKey: ['own'],
    enabled,
    queryFn: async ({ signal }) => {
      const status = agentStatus(await get<AgentStatusWire>('/v1/agents/me', undefined, signal));
      heard();
      return status;
    },
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
  total: QueueCallerFigures;
  byQueue: Map<string, QueueCallerFigures>;
}
/** Queue-caller figures since midnight. */
export const useToday = (enabled = true) =>
  useQuery<Today>({
    queryKey: ['today'],
    enabled,
    queryFn: async ({ signal }) => {
      const now = serverNow();
      const report = await get<{ total?: QueueCallerFiguresWire; queues?: QueueCallerFiguresWire[] }>(
        '/v1/reports/queue-callers',
        // A little into the future: what happens this second belongs to today.
        { from: new Date(startOfDay(now)).toISOString(), to: new Date(now + 60_000).toISOString() },
        signal,
      );
      const queues = (report.queues ?? []).map(queueCallerFigures);
      return { total: queueCallerFigures(report.total), byQueue: new Map(queues.map((q) => [q.queueId, q])) };
    },
  });

export const useUsers = (enabled = true) =>
  useQuery<Map<string, User>>({
    queryKey: ['users'],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const { rows } = await list<Paged & { users?: UserWire[] }, UserWire>('/v1/users', (p) => p.users, {}, signal);
      return new Map(rows.map(user).map((u) => [u.id, u]));
    },
  });

export const useCallQueues = (enabled = true) =>
  useQuery<Map<string, CallQueue>>({
    queryKey: ['callQueues'],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const { rows } = await list<Paged & { callQueues?: CallQueueWire[] }, CallQueueWire>('/v1/call-queues', (p) => p.callQueues, {}, signal);
      return new Map(rows.map(callQueue).map((q) => [q.id, q]));
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
/** The caller's own phones. */
export const useOwnDevices = (enabled = true) =>
  useQuery<Device[]>({
    queryKey: ['devices'],
    enabled,
    ...SLOW,
    queryFn: async ({ signal }) => {
      const page = await get<{ devices?: DeviceWire[] }>('/v1/devices', { userId: 'me', pageSize: 50 }, signal);
      return (page.devices ?? []).map((d) => ({ id: d.id ?? '', displayName: d.displayName ?? '', extension: d.extension ?? '' }));
    },
  });

export type AgentVerb = 'logIn' | 'logOut' | 'setReady' | 'pause' | 'endWrapUp';
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
      cache.setQueryData<AgentStatus[]>(['agents'], (old) => old?.map((a) => (a.agentId === status.agentId ? status : a)));
      void cache.invalidateQueries({ queryKey: ['agents'] });
      void cache.invalidateQueries({ queryKey: ['queues'] });
    },
  });
}
