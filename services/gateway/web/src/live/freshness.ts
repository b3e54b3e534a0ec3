/**
 * How far the page can be trusted. `connecting`: nothing heard yet. `live`: the stream is up, or was a moment ago.
 * `reconnecting`: it is down, snapshots are polled and recent. `stale`: nothing heard for more than five seconds.
 */
export type Freshness = 'connecting' | 'live' | 'reconnecting' | 'stale';

export const STALE_AFTER_MS = 5000;
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

export function freshness({ up, downAt, heardAt }: Proof, now: number): Freshness {
  if (heardAt === 0) return 'connecting';
  if (now - heardAt > STALE_AFTER_MS) return 'stale';
  if (up || (downAt > 0 && now - downAt < GRACE_MS)) return 'live';
  return downAt === 0 ? 'connecting' : 'reconnecting';
}
