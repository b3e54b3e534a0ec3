/** The marks of verdicts and hindrances; their words stand in the locales under `verdict` and `hindrance`. */
import type { HindranceKind, Verdict } from '../../../api/types';
import type { Status } from '../../../parts/status';

/** The agent's mark, where the verdict is a state of the agent; the others are about the contact. */
const MARK: Readonly<Record<Verdict, Status | undefined>> = {
  VERDICT_UNSPECIFIED: undefined,
  VERDICT_CHOSEN: 'available',
  VERDICT_LATER_IN_TURN: 'available',
  VERDICT_DECLINED: 'available',
  VERDICT_ASKED_FOR_ANOTHER: 'ringing',
  VERDICT_RINGS_FOR_IT: 'ringing',
  VERDICT_EXCLUDED: undefined,
  VERDICT_UNSKILLED: undefined,
  VERDICT_IN_CONTACT: 'call',
  VERDICT_WRAP_UP: 'wrap',
  VERDICT_PAUSED: 'paused',
  VERDICT_NOT_RESPONDING: 'missed',
  VERDICT_UNREACHABLE: 'missed',
  VERDICT_NO_ROOM: undefined,
};

const HINDERED: Readonly<Record<HindranceKind, Status | undefined>> = {
  KIND_UNSPECIFIED: undefined,
  KIND_LOGGED_OUT: 'out',
  KIND_PAUSED: 'paused',
  KIND_NOT_RESPONDING: 'missed',
  KIND_RESTS: undefined,
  KIND_PHONE_OFFLINE: 'missed',
  KIND_DESKTOP_GONE: 'missed',
  KIND_FULL: 'call',
  KIND_PAUSED_IN_QUEUE: 'paused',
  KIND_NOT_RESPONDING_IN_QUEUE: 'missed',
};

/** A verdict of a newer centre is one that this page has no words for. */
export const knownVerdict = (verdict: Verdict): Verdict => (Object.hasOwn(MARK, verdict) ? verdict : 'VERDICT_UNSPECIFIED');
export const markOfVerdict = (verdict: Verdict): Status | undefined => MARK[knownVerdict(verdict)];

/** The same for a hindrance. */
export const knownHindrance = (kind: HindranceKind): HindranceKind => (Object.hasOwn(HINDERED, kind) ? kind : 'KIND_UNSPECIFIED');
export const markOfHindrance = (kind: HindranceKind): Status | undefined => HINDERED[knownHindrance(kind)];

export const VERDICTS = Object.keys(MARK) as Verdict[];
export const HINDRANCES = Object.keys(HINDERED) as HindranceKind[];
