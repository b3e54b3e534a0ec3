/** What supervisors do with a contact that waits. Each is a wish: an answer that comes first wins. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { post } from './client';

export type ContactAct =
  | { verb: 'setPriority'; priority: number }
  | { verb: 'move'; toQueueId: string }
  | { verb: 'takeOut' }
  | { verb: 'pickUp' };
export type ContactVerb = ContactAct['verb'];

/** Priorities that the API takes. */
export const MAX_PRIORITY = 1000;

/** Acts on one waiting contact; what it did is told by the events that follow. */
export function useContactAct(queueId: string, contactId: string) {
  const cache = useQueryClient();
  return useMutation<void, Error, ContactAct>({
    mutationFn: async ({ verb, ...body }) => {
      await post(`/v1/queues/${queueId}/contacts/${contactId}:${verb}`, body);
    },
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['queues'] });
      void cache.invalidateQueries({ queryKey: ['reasons'] });
    },
  });
}
