/** What arrives on the live stream: an event, a sign of life, or "you missed some". */
import type { CloudEvent } from '../api/types';

export type LiveMessage = { kind: 'event'; event: CloudEvent } | { kind: 'heartbeat' } | { kind: 'lagged' } | { kind: 'unknown' };

export function readMessage(text: unknown): LiveMessage {
  if (typeof text !== 'string') return { kind: 'unknown' };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'unknown' };
  }
  if (typeof body !== 'object' || body === null) return { kind: 'unknown' };
  const { type, specversion } = body as Record<string, unknown>;
  if (typeof type !== 'string') return { kind: 'unknown' };
  if (specversion !== undefined) return { kind: 'event', event: body as CloudEvent };
  if (type === 'heartbeat' || type === 'lagged') return { kind: type };
  return { kind: 'unknown' };
}

/** How long to wait before attempt `n` (from 0) to connect again: at once, then doubling to 10 s, with jitter. */
export function retryAfter(n: number, random: () => number): number {
  if (n === 0) return 100 * random();
  return Math.min(10_000, 500 * 2 ** (n - 1)) * (0.7 + 0.6 * random());
}
