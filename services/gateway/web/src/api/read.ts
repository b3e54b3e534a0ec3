/**
 * Wire types to the model the pages draw. A field that ProtoJSON leaves out gets its default here, once, so no page
 * needs to think about absence except where it has a meaning (`undefined`).
 */
import type {
  AgentState,
  AgentStatusWire,
  CallQueueWire,
  ContactWire,
  Int64,
  LeftReason,
  MeWire,
  Outcome,
  PartyWire,
  QueueCallerFiguresWire,
  QueueStatusWire,
  Role,
  UserWire,
  WaitingContactWire,
} from './types';

/** Milliseconds since the epoch; `undefined` when absent or unreadable. */
export function instant(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Milliseconds of a ProtoJSON duration such as "15s" or "1.500s". */
export function durationMs(text: string | undefined): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?)s$/.exec(text ?? '');
  return match ? Math.round(Number(match[1]) * 1000) : undefined;
}

const count = (value: Int64 | undefined): number => Number(value ?? 0) || 0;

export interface Party {
  number: string;
  displayName: string;
}
const party = (wire: PartyWire | undefined): Party => ({
  number: wire?.number ?? '',
  displayName: wire?.displayName ?? '',
});

export interface User {
  id: string;
  login: string;
  displayName: string;
  roles: Role[];
  disabled: boolean;
}
export const user = (wire: UserWire | undefined): User => ({
  id: wire?.id ?? '',
  login: wire?.login ?? '',
  displayName: wire?.displayName || wire?.login || '',
  roles: wire?.roles ?? [],
  disabled: wire?.disabled ?? false,
});

export interface Me {
  user: User;
  tenantName: string;
  tenantSlug: string;
  permissions: ReadonlySet<string>;
}
export const me = (wire: MeWire): Me => ({
  user: user(wire.user),
  tenantName: wire.tenant?.displayName || wire.tenant?.slug || '',
  tenantSlug: wire.tenant?.slug ?? '',
  permissions: new Set(wire.permissions ?? []),
});

export interface AgentStatus {
  agentId: string;
  state: AgentState;
  since: number | undefined;
  /** What the agent chose: ready, paused or logged out. Differs from `state` during a contact. */
  chosen: AgentState;
  pauseReason: string;
  deviceId: string;
  deviceOnline: boolean;
  queueIds: string[];
  contactQueueId: string;
  /** The customer of the present contact, if there is one. */
  caller: Party | undefined;
  wrapUpUntil: number | undefined;
}
export const agentStatus = (wire: AgentStatusWire): AgentStatus => {
  const state = wire.state && wire.state !== 'AGENT_STATE_UNSPECIFIED' ? wire.state : 'AGENT_STATE_LOGGED_OUT';
  return {
    agentId: wire.agentId ?? '',
    state,
    since: instant(wire.since),
    chosen: wire.chosen && wire.chosen !== 'AGENT_STATE_UNSPECIFIED' ? wire.chosen : state,
    pauseReason: wire.pauseReason ?? '',
    deviceId: wire.deviceId ?? '',
    deviceOnline: wire.deviceOnline ?? false,
    queueIds: wire.queueIds ?? [],
    contactQueueId: wire.contactQueueId ?? '',
    caller: wire.contactId || wire.caller ? party(wire.caller) : undefined,
    wrapUpUntil: instant(wire.wrapUpUntil),
  };
};

export interface WaitingContact {
  contactId: string;
  position: number;
  enqueueTime: number | undefined;
  caller: Party;
  /** Higher is served first. */
  priority: number;
  offeredTo: string;
  /** The queue in which a person wants it; empty when nobody moves it. */
  movingTo: string;
}
const waitingContact = (wire: WaitingContactWire): WaitingContact => ({
  contactId: wire.contactId ?? '',
  position: wire.position ?? 0,
  enqueueTime: instant(wire.enqueueTime),
  caller: party(wire.caller),
  priority: wire.priority ?? 0,
  offeredTo: wire.offeredTo ?? '',
  movingTo: wire.movingTo ?? '',
});

export interface QueueStatus {
  queueId: string;
  displayName: string;
  waiting: number;
  longestWaitSince: number | undefined;
  loggedIn: number;
  ready: number;
  paused: number;
  inContact: number;
  inWrapUp: number;
  notResponding: number;
  alerting: number;
  /** Ready, but the phone is not registered. */
  unreachable: number;
  contacts: WaitingContact[];
  /** Of those who left in the last minutes; absent when nobody did. */
  meanWait: { ms: number; sample: number; complete: boolean } | undefined;
  /** Of a contact that enters now; absent when it cannot be told. */
  expectedWaitMs: number | undefined;
}
export const queueStatus = (wire: QueueStatusWire): QueueStatus => ({
  queueId: wire.queueId ?? '',
  displayName: wire.displayName ?? '',
  waiting: wire.waiting ?? 0,
  longestWaitSince: instant(wire.longestWaitSince),
  loggedIn: wire.agentsLoggedIn ?? 0,
  ready: wire.agentsReady ?? 0,
  paused: wire.agentsPaused ?? 0,
  inContact: wire.agentsInContact ?? 0,
  inWrapUp: wire.agentsInWrapUp ?? 0,
  notResponding: wire.agentsNotResponding ?? 0,
  alerting: wire.agentsAlerting ?? 0,
  unreachable: wire.agentsUnreachable ?? 0,
  contacts: (wire.contacts ?? []).map(waitingContact),
  meanWait: wire.meanWait && { ms: count(wire.meanWait.meanMs), sample: wire.meanWait.sample ?? 0, complete: wire.meanWait.complete ?? false },
  expectedWaitMs: wire.expectedWait && count(wire.expectedWait.waitMs),
});

export interface CallQueue {
  id: string;
  displayName: string;
  extension: string;
  agentMayEndWrapUp: boolean;
  wrapUpMode: string;
  /** "targetPercent of the contacts within so many milliseconds"; absent when the queue has no target. */
  targetPercent: number | undefined;
  targetMs: number | undefined;
}
export const callQueue = (wire: CallQueueWire): CallQueue => ({
  id: wire.id ?? '',
  displayName: wire.displayName ?? '',
  extension: wire.extension ?? '',
  agentMayEndWrapUp: wire.agentMayEndWrapUp ?? false,
  wrapUpMode: wire.wrapUpMode ?? 'WRAP_UP_MODE_TIMED',
  targetPercent: wire.serviceLevel?.targetPercent,
  targetMs: durationMs(wire.serviceLevel?.within),
});

export interface Contact {
  id: string;
  queueId: string;
  caller: Party;
  agentId: string;
  enqueueTime: number | undefined;
  connectTime: number | undefined;
  leaveTime: number | undefined;
  endTime: number | undefined;
  /** Absent while the contact waits. */
  outcome: Outcome | undefined;
  leftReason: LeftReason | undefined;
  waitMs: number;
  talkMs: number;
  recordingId: string;
}
export const contact = (wire: ContactWire): Contact => ({
  id: wire.id ?? '',
  queueId: wire.queueId ?? '',
  caller: party(wire.caller),
  agentId: wire.agentId ?? '',
  enqueueTime: instant(wire.enqueueTime),
  connectTime: instant(wire.connectTime),
  leaveTime: instant(wire.leaveTime),
  endTime: instant(wire.endTime),
  outcome: wire.outcome === 'OUTCOME_UNSPECIFIED' ? undefined : wire.outcome,
  leftReason: wire.leftReason === 'LEFT_REASON_UNSPECIFIED' ? undefined : wire.leftReason,
  waitMs: count(wire.waitMs),
  talkMs: count(wire.talkMs),
  recordingId: wire.recordingId ?? '',
});

export interface QueueCallerFigures {
  queueId: string;
  offered: number;
  answered: number;
  abandoned: number;
  /** Left otherwise. */
  flowOut: number;
  /** Absent when it has no base. */
  serviceLevelPercent: number | undefined;
  /** The calls that the service level is about: who still waits, or gave up at once, is not among them. */
  serviceLevelBase: number;
}
export const queueCallerFigures = (wire: QueueCallerFiguresWire | undefined): QueueCallerFigures => ({
  queueId: wire?.queueId ?? '',
  offered: count(wire?.offered),
  answered: count(wire?.answered),
  abandoned: count(wire?.abandoned),
  flowOut: count(wire?.flowOut),
  serviceLevelPercent: wire?.serviceLevelPercent,
  serviceLevelBase: count(wire?.answered) + count(wire?.abandoned) - count(wire?.shortAbandoned),
});
