/** How a contact's stay ended, in words. The reason is told where it says more than the outcome. */
import type { Contact } from '../../api/read';
import type { LeftReason } from '../../api/types';
import type { Tone } from '../../parts/status';

export type OutcomeWord =
  | 'waiting'
  | 'inCall'
  | 'answered'
  | 'abandoned'
  | 'callback'
  | 'exit'
  | 'timeout'
  | 'full'
  | 'closed'
  | 'empty'
  | 'noSkill'
  | 'failure'
  | 'evicted'
  | 'transferred'
  | 'removed'
  | 'expired'
  | 'cancelled';

const BY_REASON: Partial<Record<LeftReason, OutcomeWord>> = {
  LEFT_REASON_DTMF_EXIT: 'exit',
  LEFT_REASON_TIMEOUT: 'timeout',
  LEFT_REASON_LEFT_EMPTY: 'empty',
  LEFT_REASON_JOINED_EMPTY: 'empty',
  LEFT_REASON_QUEUE_FULL: 'full',
  LEFT_REASON_TRANSFERRED_BY_USER: 'transferred',
  LEFT_REASON_CALLBACK_CANCELLED_BY_USER: 'cancelled',
  LEFT_REASON_CALLBACK_EXPIRED: 'expired',
  LEFT_REASON_NO_SKILL_MATCH: 'noSkill',
  LEFT_REASON_QUEUE_CLOSED: 'closed',
  LEFT_REASON_SYSTEM_FAILURE: 'failure',
};

type Ended = Pick<Contact, 'outcome' | 'leftReason' | 'connectTime' | 'endTime'>;

export function outcomeWord({ outcome, leftReason, connectTime, endTime }: Ended): OutcomeWord {
  const reason = leftReason && BY_REASON[leftReason];
  switch (outcome) {
    case undefined:
    case 'OUTCOME_UNSPECIFIED':
      return connectTime === undefined ? 'waiting' : 'inCall';
    case 'OUTCOME_HANDLED':
      return endTime === undefined ? 'inCall' : 'answered';
    case 'OUTCOME_ABANDONED':
      return 'abandoned';
    case 'OUTCOME_PENDING':
      return 'callback';
    case 'OUTCOME_EVICTED_CUSTOMER':
      return reason ?? 'exit';
    case 'OUTCOME_EVICTED_SYSTEM':
      return reason ?? 'evicted';
    case 'OUTCOME_EVICTED_USER':
      return reason ?? 'removed';
    default:
      return 'evicted';
  }
}

const TONES: Partial<Record<OutcomeWord, Tone>> = {
  waiting: 'idle',
  inCall: 'busy',
  answered: 'ok',
  callback: 'busy',
  exit: 'idle',
  transferred: 'idle',
  removed: 'idle',
  cancelled: 'idle',
  failure: 'bad',
};

export const outcomeTone = (word: OutcomeWord): Tone => TONES[word] ?? 'warn';
