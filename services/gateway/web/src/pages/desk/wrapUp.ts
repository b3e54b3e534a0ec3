/** What the queue of a contact lets its agent do with the time after it; supervisors always may. */
import type { CallQueue } from '../../api/read';

type Rules = Pick<CallQueue, 'agentMayEndWrapUp' | 'wrapUpMode'>;

/** Whether the wrap-up may be ended before its time. */
export function mayEnd(queue: Rules | undefined, supervisor: boolean): boolean {
  if (supervisor) return true;
  if (queue === undefined) return false;
  switch (queue.wrapUpMode) {
    case 'WRAP_UP_MODE_UNTIL_DONE':
      return true; // nothing else ends it
    case 'WRAP_UP_MODE_FIXED_NO_EARLY_EXIT':
      return false;
    default:
      return queue.agentMayEndWrapUp;
  }
}

/** Whether it may be prolonged. */
export const mayProlong = (queue: Rules | undefined, supervisor: boolean): boolean => supervisor || queue?.wrapUpMode === 'WRAP_UP_MODE_TIMED_EXTENDABLE';
