/**
 * The wire types this app uses, as ProtoJSON: lowerCamelCase, enums by name, RFC 3339 instants, 64-bit integers as
 * strings. A field with its default value may be left out, so everything is optional here; `read.ts` fills the gaps.
 * Source: proto/centro/{identity,routing,analytics,configuration}/v1.
 */

export type AgentState =
  | 'AGENT_STATE_UNSPECIFIED'
  | 'AGENT_STATE_LOGGED_OUT'
  | 'AGENT_STATE_READY'
  | 'AGENT_STATE_RESERVED'
  | 'AGENT_STATE_ALERTING'
  | 'AGENT_STATE_CONNECTED'
  | 'AGENT_STATE_WRAP_UP'
  | 'AGENT_STATE_PAUSED'
  | 'AGENT_STATE_NOT_RESPONDING';

export type Outcome =
  | 'OUTCOME_UNSPECIFIED'
  | 'OUTCOME_HANDLED'
  | 'OUTCOME_ABANDONED'
  | 'OUTCOME_PENDING'
  | 'OUTCOME_EVICTED_CUSTOMER'
  | 'OUTCOME_EVICTED_SYSTEM'
  | 'OUTCOME_EVICTED_USER';

export type LeftReason =
  | 'LEFT_REASON_UNSPECIFIED'
  | 'LEFT_REASON_ANSWERED'
  | 'LEFT_REASON_ABANDONED'
  | 'LEFT_REASON_DTMF_EXIT'
  | 'LEFT_REASON_TIMEOUT'
  | 'LEFT_REASON_LEFT_EMPTY'
  | 'LEFT_REASON_JOINED_EMPTY'
  | 'LEFT_REASON_QUEUE_FULL'
  | 'LEFT_REASON_TRANSFERRED_BY_USER'
  | 'LEFT_REASON_CALLBACK_REQUESTED'
  | 'LEFT_REASON_CALLBACK_CANCELLED_BY_USER'
  | 'LEFT_REASON_CALLBACK_EXPIRED'
  | 'LEFT_REASON_NO_SKILL_MATCH'
  | 'LEFT_REASON_QUEUE_CLOSED'
  | 'LEFT_REASON_SYSTEM_FAILURE';

export type Role = 'ROLE_UNSPECIFIED' | 'ROLE_OWNER' | 'ROLE_ADMIN' | 'ROLE_SUPERVISOR' | 'ROLE_AGENT';

/** A 64-bit integer: a string on the wire; small ones are accepted as numbers too. */
export type Int64 = string | number;

export interface PartyWire {
  number?: string;
  displayName?: string;
}

export interface UserWire {
  id?: string;
  login?: string;
  displayName?: string;
  roles?: Role[];
  disabled?: boolean;
}

export interface SessionWire {
  accessToken?: string;
  expireTime?: string;
  refreshToken?: string;
  user?: UserWire;
}

export interface MeWire {
  user?: UserWire;
  tenant?: { id?: string; slug?: string; displayName?: string };
  permissions?: string[];
}

export interface AgentStatusWire {
  agentId?: string;
  state?: AgentState;
  since?: string;
  chosen?: AgentState;
  pauseReason?: string;
  deviceId?: string;
  deviceOnline?: boolean;
  queueIds?: string[];
  contactId?: string;
  contactQueueId?: string;
  caller?: PartyWire;
  wrapUpUntil?: string;
}

export interface WaitingContactWire {
  contactId?: string;
  position?: number;
  enqueueTime?: string;
  caller?: PartyWire;
  priority?: number;
  offeredTo?: string;
  movingTo?: string;
}

/** One skill compared with a level; an operator that is not said is "at least". */
export interface SkillNeedWire {
  skillId?: string;
  op?: 'SKILL_OP_UNSPECIFIED' | 'SKILL_OP_AT_LEAST' | 'SKILL_OP_AT_MOST' | 'SKILL_OP_EQUAL' | 'SKILL_OP_MORE_THAN' | 'SKILL_OP_LESS_THAN';
  level?: number;
}

/** The rule under which an agent falls for one contact. */
export type Verdict =
  | 'VERDICT_UNSPECIFIED'
  | 'VERDICT_CHOSEN'
  | 'VERDICT_LATER_IN_TURN'
  | 'VERDICT_DECLINED'
  | 'VERDICT_ASKED_FOR_ANOTHER'
  | 'VERDICT_RINGS_FOR_IT'
  | 'VERDICT_EXCLUDED'
  | 'VERDICT_UNSKILLED'
  | 'VERDICT_IN_CONTACT'
  | 'VERDICT_WRAP_UP'
  | 'VERDICT_PAUSED'
  | 'VERDICT_NOT_RESPONDING'
  | 'VERDICT_UNREACHABLE'
  | 'VERDICT_NO_ROOM';

export interface CandidateWire {
  agentId?: string;
  verdict?: Verdict;
  score?: number;
  key?: Int64;
  idleSince?: string;
  excludedUntil?: string;
  unmet?: SkillNeedWire[];
}

export interface WaitingReasonsWire {
  sentenceEn?: string;
  sentenceIt?: string;
  position?: number;
  needs?: SkillNeedWire[];
  step?: number;
  relaxTime?: string;
  retryTime?: string;
  ringsAt?: string[];
  agentsLoggedIn?: number;
  counts?: { verdict?: Verdict; agents?: number }[];
  candidates?: CandidateWire[];
  asOf?: string;
}

/** What keeps an agent from contacts, in all queues or in one. */
export type HindranceKind =
  | 'KIND_UNSPECIFIED'
  | 'KIND_LOGGED_OUT'
  | 'KIND_PAUSED'
  | 'KIND_NOT_RESPONDING'
  | 'KIND_RESTS'
  | 'KIND_PHONE_OFFLINE'
  | 'KIND_DESKTOP_GONE'
  | 'KIND_FULL'
  | 'KIND_PAUSED_IN_QUEUE'
  | 'KIND_NOT_RESPONDING_IN_QUEUE';

export interface AgentReasonsWire {
  sentenceEn?: string;
  sentenceIt?: string;
  hindrances?: { kind?: HindranceKind; pauseReason?: string; until?: string; queueId?: string }[];
  queues?: { queueId?: string; waiting?: number; couldServe?: string; unskilled?: number; notOpen?: number; excluded?: number }[];
  asOf?: string;
}

/** One offer of a contact to an agent, with its reasons. */
export interface ContactDecisionWire {
  queueId?: string;
  agentId?: string;
  reservation?: Int64;
  offerTime?: string;
  decision?: { sentenceEn?: string; sentenceIt?: string };
  bids?: { queueId?: string; weight?: number }[];
}

export interface SkillWire {
  id?: string;
  displayName?: string;
}

export interface QueueStatusWire {
  queueId?: string;
  displayName?: string;
  waiting?: number;
  longestWaitSince?: string;
  agentsLoggedIn?: number;
  agentsReady?: number;
  agentsAlerting?: number;
  agentsUnreachable?: number;
  agentsPaused?: number;
  agentsInContact?: number;
  agentsInWrapUp?: number;
  agentsNotResponding?: number;
  contacts?: WaitingContactWire[];
  meanWait?: { meanMs?: Int64; sample?: number; complete?: boolean };
  expectedWait?: { waitMs?: Int64 };
}

export interface CallQueueWire {
  id?: string;
  displayName?: string;
  extension?: string;
  agentMayEndWrapUp?: boolean;
  wrapUpMode?: string;
  serviceLevel?: { targetPercent?: number; within?: string };
}

export interface ContactWire {
  id?: string;
  queueId?: string;
  caller?: PartyWire;
  dialled?: string;
  agentId?: string;
  enqueueTime?: string;
  connectTime?: string;
  leaveTime?: string;
  endTime?: string;
  outcome?: Outcome;
  leftReason?: LeftReason;
  waitMs?: Int64;
  talkMs?: Int64;
  offers?: number;
  recordingId?: string;
}

export interface NumberWire {
  id?: string;
  e164?: string;
  displayName?: string;
  dialPlanId?: string;
}

export interface DeviceWire {
  id?: string;
  displayName?: string;
  userId?: string;
  extension?: string;
}

export interface QueueCallerFiguresWire {
  queueId?: string;
  offered?: Int64;
  answered?: Int64;
  abandoned?: Int64;
  shortAbandoned?: Int64;
  flowOut?: Int64;
  serviceLevelPercent?: number;
}

/** CloudEvents 1.0, structured JSON, as the live stream sends it. */
export interface CloudEvent {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  subject?: string;
  time?: string;
  tenantid?: string;
  sequence?: string;
  data?: unknown;
}
