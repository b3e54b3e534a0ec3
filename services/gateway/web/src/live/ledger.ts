/**
 * What we know of each snapshot: when it was asked for and read, whether an event made it old since, and how often
 * asking failed. Decides when it is to be asked for again. Knows no clock of its own, so that time can be tested.
 */
import { Problem } from '../api/problem';
import type { Snapshot } from './affected';

/** Without any event a snapshot is read again after so long: an event that got lost must not stay lost. */
export const RECONCILE_MS = 12_000;
/** Between two polls while the stream is down or silent. */
export const POLL_MS = 2000;
/** After the first failure; doubles from then on. */
const RETRY_MS = 1000;
const RETRY_MAX_MS = 15_000;
/** A refusal does not pass by asking again soon; it is still asked for, because roles and settings change. */
const REFUSED_MS = 60_000;
/** So many failures in a row are worth a notice. One alone is repaired before anybody has read it. */
const TROUBLE_AT = 2;

/** Refreshing keeps failing. */
export interface Trouble {
  error: unknown;
}

interface Entry {
  askedAt: number;
  /** When the data on the page was asked for, by this computer's clock; 0: there is none yet. */
  readAt: number;
  /** When it was true, by the server's clock, where the server says it. */
  asOf: number | undefined;
  /** The first event that the data does not know; 0: none. */
  dirtyAt: number;
  /** The first event since the last question: an answer on its way may not know it. */
  missedAt: number;
  failures: number;
  failedAt: number;
  error: unknown;
  trouble: Trouble | undefined;
}

export interface Age {
  readAt: number;
  dirtyAt: number;
}

/** How long to wait after so many failures in a row. */
export function retryIn(failures: number, error: unknown): number {
  const problem = error instanceof Problem ? error : undefined;
  const refused = problem && problem.status >= 400 && problem.status < 500 && problem.status !== 429 && problem.status !== 401;
  if (refused) return REFUSED_MS;
  const wait = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (Math.max(1, failures) - 1));
  return Math.max(wait, Math.min(REFUSED_MS, problem?.retryAfterMs ?? 0));
}

export class Ledger {
  readonly #entries = new Map<Snapshot, Entry>();

  #of(snapshot: Snapshot): Entry {
    let entry = this.#entries.get(snapshot);
    if (!entry) {
      entry = { askedAt: 0, readAt: 0, asOf: undefined, dirtyAt: 0, missedAt: 0, failures: 0, failedAt: 0, error: undefined, trouble: undefined };
      this.#entries.set(snapshot, entry);
    }
    return entry;
  }

  asked(snapshot: Snapshot, now: number): void {
    const entry = this.#of(snapshot);
    entry.askedAt = now;
    entry.missedAt = 0;
  }

  /** The server says when its answer was true. Told before `read`. */
  dated(snapshot: Snapshot, asOf: number | undefined): void {
    this.#of(snapshot).asOf = asOf;
  }

  read(snapshot: Snapshot): void {
    const entry = this.#of(snapshot);
    entry.readAt = entry.askedAt;
    entry.dirtyAt = entry.missedAt;
    entry.failures = 0;
    entry.trouble = undefined;
  }

  failed(snapshot: Snapshot, now: number, error: unknown): void {
    const entry = this.#of(snapshot);
    entry.failures += 1;
    entry.failedAt = now;
    entry.error = error;
    if (entry.failures >= TROUBLE_AT) entry.trouble = { error };
  }

  touched(snapshot: Snapshot, now: number): void {
    const entry = this.#of(snapshot);
    if (entry.readAt > 0) entry.dirtyAt ||= now;
    entry.missedAt ||= now;
  }

  failing(snapshot: Snapshot): boolean {
    return this.#of(snapshot).failures > 0;
  }

  trouble(snapshot: Snapshot): Trouble | undefined {
    return this.#entries.get(snapshot)?.trouble;
  }

  age(snapshot: Snapshot): Age {
    const { readAt, dirtyAt } = this.#of(snapshot);
    return { readAt, dirtyAt };
  }

  /** When what the page shows of it was true: the server's instant, else ours by `toServer`; absent before the first answer. */
  asOf(snapshot: Snapshot, toServer: (at: number) => number): number | undefined {
    const { readAt, asOf } = this.#of(snapshot);
    return readAt === 0 ? undefined : (asOf ?? toServer(readAt));
  }

  /** Whether it is time to ask again. `everyMs` is the distance between two questions while all is well. */
  due(snapshot: Snapshot, now: number, everyMs: number): boolean {
    const entry = this.#of(snapshot);
    if (entry.failures > 0) return now - entry.failedAt >= retryIn(entry.failures, entry.error);
    return entry.askedAt > 0 && now - entry.askedAt >= everyMs;
  }

  /** Nobody is signed in any more. */
  clear(): void {
    this.#entries.clear();
  }
}
