/** Which snapshots an event makes old. The kinds are those of proto/centro/events/v1. */

/** The snapshots of the pages, as the first word of their query keys. */
export const SNAPSHOTS = ['queues', 'agents', 'own', 'contacts', 'today', 'users', 'callQueues', 'numbers', 'devices'] as const;
export type Snapshot = (typeof SNAPSHOTS)[number];

export const isSnapshot = (word: unknown): word is Snapshot => (SNAPSHOTS as readonly unknown[]).includes(word);

const BY_KIND: readonly (readonly [prefix: string, snapshots: readonly Snapshot[]])[] = [
  ['routing.contact.', ['queues', 'agents', 'own', 'contacts', 'today']],
  ['routing.agent.', ['queues', 'agents', 'own']],
  ['telephony.recording.', ['contacts']],
  ['telephony.call.', ['contacts', 'today']],
  ['telephony.device.', ['agents', 'own']],
  ['configuration.object.', ['queues', 'callQueues', 'numbers', 'devices']],
  ['identity.user.', ['users', 'agents']],
];

/** Analytics writes its rows after the event was told: these are fetched once more a moment later. */
const SETTLES_LATER: ReadonlySet<Snapshot> = new Set(['contacts', 'today']);

/** The snapshots a kind of event makes old; none for a kind this app does not know. */
export function affected(kind: string): readonly Snapshot[] {
  return BY_KIND.find(([prefix]) => kind.startsWith(prefix))?.[1] ?? [];
}

export const settlesLater = (snapshot: Snapshot): boolean => SETTLES_LATER.has(snapshot);
