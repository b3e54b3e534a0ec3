/** Why a contact still waits, and why an agent gets none: models and hooks. Read only while somebody looks at them. */
import { useQuery } from '@tanstack/react-query';
import { get, list } from './client';
import { instant } from './read';
import type { AgentReasonsWire, ContactDecisionWire, HindranceKind, SkillNeedWire, SkillWire, Verdict, WaitingReasonsWire } from './types';

export interface SkillNeed {
  skillId: string;
  /** The comparison as a sign: ≥ ≤ = > <. */
  sign: string;
  level: number;
}

export interface Candidate {
  agentId: string;
  verdict: Verdict;
  excludedUntil: number | undefined;
  unmet: SkillNeed[];
}

/** One sentence in both languages; the server writes them. */
export interface Sentences {
  en: string;
  it: string;
}

export interface WaitingReasons {
  sentences: Sentences;
  position: number;
  needs: SkillNeed[];
  /** When it needs less. */
  relaxTime: number | undefined;
  /** When it may be offered again. */
  retryTime: number | undefined;
  ringsAt: string[];
  loggedIn: number;
  candidates: Candidate[];
  /** Agents that the list leaves out. */
  others: number;
  asOf: number | undefined;
}

export interface Hindrance {
  kind: HindranceKind;
  pauseReason: string;
  until: number | undefined;
  /** The queue it holds in; empty: all. */
  queueId: string;
}

export interface QueueReasons {
  queueId: string;
  waiting: number;
  /** Somebody waits whom the agent could be given. */
  couldServe: boolean;
  unskilled: number;
  notOpen: number;
  excluded: number;
}

export interface AgentReasons {
  sentences: Sentences;
  hindrances: Hindrance[];
  queues: QueueReasons[];
  asOf: number | undefined;
}

/** One offer of a contact, and why it went to this agent. */
export interface ContactDecision {
  /** Unlike any other offer's. */
  key: string;
  queueId: string;
  agentId: string;
  offerTime: number | undefined;
  sentences: Sentences;
  /** What the queues bid for the agent, the winner first; empty where one queue alone had somebody. */
  bids: { queueId: string; weight: number }[];
}

const SIGN: Readonly<Record<NonNullable<SkillNeedWire['op']>, string>> = {
  SKILL_OP_UNSPECIFIED: '≥',
  SKILL_OP_AT_LEAST: '≥',
  SKILL_OP_AT_MOST: '≤',
  SKILL_OP_EQUAL: '=',
  SKILL_OP_MORE_THAN: '>',
  SKILL_OP_LESS_THAN: '<',
};

const need = (wire: SkillNeedWire): SkillNeed => ({
  skillId: wire.skillId ?? '',
  sign: SIGN[wire.op ?? 'SKILL_OP_UNSPECIFIED'] ?? '?',
  level: wire.level ?? 0,
});

export const waitingReasons = (wire: WaitingReasonsWire): WaitingReasons => {
  const candidates = (wire.candidates ?? []).map((one) => ({
    agentId: one.agentId ?? '',
    verdict: one.verdict ?? 'VERDICT_UNSPECIFIED',
    excludedUntil: instant(one.excludedUntil),
    unmet: (one.unmet ?? []).map(need),
  }));
  const counted = (wire.counts ?? []).reduce((sum, { agents }) => sum + (agents ?? 0), 0);
  return {
    sentences: { en: wire.sentenceEn ?? '', it: wire.sentenceIt ?? '' },
    position: wire.position ?? 0,
    needs: (wire.needs ?? []).map(need),
    relaxTime: instant(wire.relaxTime),
    retryTime: instant(wire.retryTime),
    ringsAt: wire.ringsAt ?? [],
    loggedIn: wire.agentsLoggedIn ?? 0,
    candidates,
    others: Math.max(0, counted - candidates.length),
    asOf: instant(wire.asOf),
  };
};

export const agentReasons = (wire: AgentReasonsWire): AgentReasons => ({
  sentences: { en: wire.sentenceEn ?? '', it: wire.sentenceIt ?? '' },
  hindrances: (wire.hindrances ?? []).map((one) => ({
    kind: one.kind ?? 'KIND_UNSPECIFIED',
    pauseReason: one.pauseReason ?? '',
    until: instant(one.until),
    queueId: one.queueId ?? '',
  })),
  queues: (wire.queues ?? []).map((one) => ({
    queueId: one.queueId ?? '',
    waiting: one.waiting ?? 0,
    couldServe: Boolean(one.couldServe),
    unskilled: one.unskilled ?? 0,
    notOpen: one.notOpen ?? 0,
    excluded: one.excluded ?? 0,
  })),
  asOf: instant(wire.asOf),
});

export const contactDecision = (wire: ContactDecisionWire): ContactDecision => ({
  key: `${wire.agentId ?? ''} ${wire.reservation ?? 0}`,
  queueId: wire.queueId ?? '',
  agentId: wire.agentId ?? '',
  offerTime: instant(wire.offerTime),
  sentences: { en: wire.decision?.sentenceEn ?? '', it: wire.decision?.sentenceIt ?? '' },
  bids: (wire.bids ?? []).map((bid) => ({ queueId: bid.queueId ?? '', weight: bid.weight ?? 0 })),
});

/** Reasons change with every agent, so an open panel asks again this often. */
const AGAIN_MS = 3000;
/** No event says that they are old, and nobody wants yesterday's. */
const OPEN = { refetchInterval: AGAIN_MS, gcTime: 0 } as const;

export const useWaitingReasons = (queueId: string, contactId: string) =>
  useQuery<WaitingReasons>({
    queryKey: ['reasons', queueId, contactId],
    ...OPEN,
    queryFn: async ({ signal }) => waitingReasons(await get<WaitingReasonsWire>(`/v1/queues/${queueId}/contacts/${contactId}/reasons`, undefined, signal)),
  });

export const useAgentReasons = (agentId: string) =>
  useQuery<AgentReasons>({
    queryKey: ['reasons', agentId],
    ...OPEN,
    queryFn: async ({ signal }) => agentReasons(await get<AgentReasonsWire>(`/v1/agents/${agentId}/reasons`, undefined, signal)),
  });

export const useDecisions = (contactId: string) =>
  useQuery<ContactDecision[]>({
    queryKey: ['decisions', contactId],
    ...OPEN,
    queryFn: async ({ signal }) => {
      const answer = await get<{ decisions?: ContactDecisionWire[] }>(`/v1/contacts/${contactId}/decisions`, undefined, signal);
      return (answer.decisions ?? []).map(contactDecision);
    },
  });

/** Names of skills change rarely; a panel that opens later than this asks again. */
const NAMES_MS = 60_000;

/** Name by id. */
export const useSkillNames = (enabled: boolean) =>
  useQuery<ReadonlyMap<string, string>>({
    queryKey: ['skills'],
    enabled,
    staleTime: NAMES_MS,
    queryFn: async ({ signal }) => {
      const { rows } = await list<{ nextPageToken?: string; skills?: SkillWire[] }, SkillWire>('/v1/skills', (page) => page.skills, {}, signal);
      return new Map(rows.map((skill) => [skill.id ?? '', skill.displayName ?? '']));
    },
  });
