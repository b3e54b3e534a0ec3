/**
 * How far the page can be trusted. `live`: the stream is up. `reconnecting`: it is down, snapshots are polled and
 * recent. `stale`: nothing heard for more than five seconds.
 */
export type Freshness = 'live' | 'reconnecting' | 'stale';

export const STALE_AFTER_MS = 5000;

export interface Proof {
  /** The stream is up. */
  up: boolean;
  /** When the server last said anything, by this computer's clock; 0: never yet. */
  heardAt: number;
}

export function freshness(proof: Proof, now: number): Freshness {
  if (proof.heardAt > 0 && now - proof.heardAt > STALE_AFTER_MS) return 'stale';
  return proof.up ? 'live' : 'reconnecting';
}
