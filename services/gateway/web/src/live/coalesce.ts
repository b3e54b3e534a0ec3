/**
 * Runs something at once when asked (leading), never twice at a time, never sooner than `gapMs` after the last start,
 * and always once more after the last request (trailing). So a burst of events costs at most 1000/gapMs refreshes a
 * second and the last state is never missed, also when a refresh is slower than the events.
 */
export interface Coalesced {
  /** Asks for a run. */
  (): void;
  /** Asks for another run later, for data that settles after the event. */
  later: (ms: number) => void;
  /** Forgets what is due. A run in progress ends by itself. */
  stop: () => void;
}

export function coalesce(run: () => Promise<unknown>, gapMs: number): Coalesced {
  let running = false;
  let due = false;
  let stopped = false;
  let lastStart = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let after: ReturnType<typeof setTimeout> | undefined;

  const start = () => {
    timer = undefined;
    due = false;
    running = true;
    lastStart = performance.now();
    void run()
      .catch(() => undefined)
      .finally(() => {
        running = false;
        if (due) plan();
      });
  };
  const plan = () => {
    if (stopped) return;
    due = true;
    if (running || timer !== undefined) return;
    const wait = lastStart + gapMs - performance.now();
    if (wait <= 0) start();
    else timer = setTimeout(start, wait);
  };
  const ask = plan as Coalesced;
  ask.later = (ms) => {
    clearTimeout(after);
    after = setTimeout(plan, ms);
  };
  ask.stop = () => {
    stopped = true;
    due = false;
    clearTimeout(timer);
    clearTimeout(after);
  };
  return ask;
}
