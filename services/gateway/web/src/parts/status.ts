/** The agent's states as the pages show them: seven marks that differ in shape, word and colour. */
import type { AgentState } from '../api/types';

export type Status = 'available' | 'ringing' | 'call' | 'wrap' | 'paused' | 'missed' | 'out';
export type Tone = 'ok' | 'busy' | 'wrap' | 'warn' | 'bad' | 'idle';

export const TONE: Readonly<Record<Status, Tone>> = {
  available: 'ok',
  ringing: 'busy',
  call: 'busy',
  wrap: 'wrap',
  paused: 'warn',
  missed: 'bad',
  out: 'idle',
};

const STATUS: Readonly<Record<AgentState, Status>> = {
  AGENT_STATE_UNSPECIFIED: 'out',
  AGENT_STATE_LOGGED_OUT: 'out',
  AGENT_STATE_READY: 'available',
  AGENT_STATE_RESERVED: 'ringing',
  AGENT_STATE_ALERTING: 'ringing',
  AGENT_STATE_CONNECTED: 'call',
  AGENT_STATE_WRAP_UP: 'wrap',
  AGENT_STATE_PAUSED: 'paused',
  AGENT_STATE_NOT_RESPONDING: 'missed',
};

export const statusOf = (state: AgentState): Status => STATUS[state] ?? 'out';

/** Worst first: who needs a supervisor, who is at work, who could be, who is away. */
const NEED: Readonly<Record<Status, number>> = { missed: 0, wrap: 1, paused: 2, ringing: 3, call: 4, available: 5, out: 6 };

export const need = (status: Status): number => NEED[status];
