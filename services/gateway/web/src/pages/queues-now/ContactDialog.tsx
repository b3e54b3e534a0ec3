/**
 * Asks before something is done with a waiting contact: which priority, which queue, or whether to take it out. It names
 * the contact and what follows. It stays open when the contact has gone meanwhile, so that the refusal is read.
 */
import { Button, Modal, NumberInput, Select } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { sentence } from '../../api/problem';
import type { QueueStatus, WaitingContact } from '../../api/read';
import { MAX_PRIORITY, useContactAct, type ContactAct } from '../../api/waiting';
import { Notice } from '../../parts/Notice';
import { callerText } from '../../parts/People';
import { useToasts } from '../../parts/Toasts';
import type { AskedVerb } from './ContactMenu';

interface Props {
  verb: AskedVerb;
  queue: QueueStatus;
  contact: WaitingContact;
  /** All queues of the page. */
  queues: readonly QueueStatus[];
  close: () => void;
}

/** A whole number the API takes as a priority, or nothing. */
export function priorityOf(typed: string | number): number | undefined {
  const number = typeof typed === 'number' ? typed : /^\d+$/.test(typed.trim()) ? Number(typed) : NaN;
  return Number.isInteger(number) && number >= 0 && number <= MAX_PRIORITY ? number : undefined;
}

export function ContactDialog({ verb, queue, contact, queues, close }: Props) {
  const { t } = useTranslation();
  const act = useContactAct(queue.queueId, contact.contactId);
  const { done } = useToasts();
  const [tried, setTried] = useState(false);
  const [typed, setTyped] = useState<string | number>(contact.priority);
  const [target, setTarget] = useState<string | null>(null);
  const others = queues.filter((one) => one.queueId !== queue.queueId);
  const to = others.find((one) => one.queueId === target);
  const priority = priorityOf(typed);
  const words = { caller: callerText(contact.caller, t('callers.withheld')), queue: queue.displayName, to: to?.displayName ?? '', priority };
  const told = act.error ? sentence(act.error, t) : undefined;

  const wish: ContactAct | undefined =
    verb === 'takeOut'
      ? { verb }
      : verb === 'move'
        ? to && { verb, toQueueId: to.queueId }
        : priority === undefined
          ? undefined
          : { verb, priority };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!wish || act.isPending) return;
    act.mutate(wish, {
      onSuccess: () => {
        done(t(`callers.done.${verb}`, words));
        close();
      },
    });
  };

  const field: Readonly<Record<AskedVerb, ReactNode>> = {
    setPriority: (
      <NumberInput
        label={t('callers.priority')}
        description={t('callers.priorityHelp', { most: MAX_PRIORITY })}
        name="priority"
        data-autofocus
        min={0}
        max={MAX_PRIORITY}
        allowDecimal={false}
        allowNegative={false}
        clampBehavior="none"
        value={typed}
        onChange={setTyped}
        error={tried && priority === undefined ? t('callers.priorityWrong', { most: MAX_PRIORITY }) : undefined}
      />
    ),
    move: (
      <>
        <p>{t('callers.moveHelp')}</p>
        <Select
          label={t('callers.toQueue')}
          name="queue"
          data-autofocus
          searchable
          nothingFoundMessage={t('callers.noQueue')}
          data={others.map((one) => ({ value: one.queueId, label: one.displayName }))}
          value={target}
          onChange={setTarget}
          error={tried && !to ? t('callers.queueMissing') : undefined}
        />
      </>
    ),
    takeOut: <p>{t('callers.takeOutEffect')}</p>,
  };

  return (
    <Modal opened onClose={close} title={t(`callers.ask.${verb}`, words)} closeButtonProps={{ 'aria-label': t('app.close') }} centered>
      <form className="form" onSubmit={submit} noValidate aria-busy={act.isPending}>
        {told && (
          <Notice kind="bad" code={told.code}>
            {told.text}
          </Notice>
        )}
        {field[verb]}
        <div className="row acts">
          {/* Nothing happens by a thoughtless Enter where it cannot be undone. */}
          <Button variant="default" onClick={close} {...(verb === 'takeOut' ? { 'data-autofocus': true } : {})}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" loading={act.isPending}>
            {t(`callers.submit.${verb}`)}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
