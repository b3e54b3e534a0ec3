/**
 * How far the page can be trusted. `connecting`: something on the page was never read yet. `live`: the stream is up, or
 * was a moment ago, and every snapshot shown is as new as the last event. `reconnecting`: the stream is down, snapshots
 * are polled and recent. `stale`: the server is silent, or a snapshot that is shown is known or feared to be old. A sign of
 * life of the stream alone proves nothing about the snapshots.
 */
import type { Age } from './ledger';

export type Freshness = 'connecting' | 'live' | 'reconnecting' | 'stale';

/** Silence of the server, an event not read yet, or polls that miss: after so long the page is old. */
export const STALE_AFTER_MS = 5000;
/** Two rounds of slow reading missed, although nothing is known to have happened. */
export const OLD_AFTER_MS = 25_000;
/** A stream that comes back so soon (a new token, a proxy's hiccup) was not worth a word. */
export const GRACE_MS = 1500;

export interface Proof {
  /** The stream is up. */
  up: boolean;
  /** When it went down last, by this computer's clock; 0: it was never up. */
  downAt: number;
  /** When the server last said anything; 0: never yet. */
  heardAt: number;
}

/** A snapshot on the page, and since when: one that was just opened is being read and gets the time for it. */
export interface Shown extends Age {
  shownAt: number;
}

/** Whether this snapshot is old. While the stream is down nothing tells us of changes, so its polls have to be recent. */
export function isOld({ readAt, dirtyAt, shownAt }: Shown, { up, downAt }: Proof, now: number): boolean {
  const past = (since: number, limit: number) => now - Math.max(since, shownAt) > limit;
  if (dirtyAt > 0 && past(dirtyAt, STALE_AFTER_MS)) return true;
  return up ? past(readAt, OLD_AFTER_MS) : past(Math.max(readAt, downAt), STALE_AFTER_MS);
}

export function freshness(proof: Proof, shown: readonly Shown[], now: number): Freshness {
  const { up, downAt, heardAt } = proof;
  if (heardAt === 0) return 'connecting';
  if (now - heardAt > STALE_AFTER_MS) return 'stale';
  const read = shown.filter((age) => age.readAt > 0);
  if (read.some((age) => isOld(age, proof, now))) return 'stale';
  if (read.length < shown.length) return 'connecting';
  if (up || (downAt > 0 && now - downAt < GRACE_MS)) return 'live';
  return downAt === 0 ? 'connecting' : 'reconnecting';
}
