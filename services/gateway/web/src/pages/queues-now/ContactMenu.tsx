/** What a supervisor may do with a contact that waits. What needs a word more, or cannot be undone, opens a dialog. */
import { ActionIcon, Menu } from '@mantine/core';
import { ArrowRightLeft, LogOut, MoreHorizontal, PhoneIncoming, TrendingUp } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { WaitingContact } from '../../api/read';
import { useContactAct, type ContactVerb } from '../../api/waiting';
import { callerText } from '../../parts/People';
import { useToasts } from '../../parts/Toasts';

/** The verbs that ask before they act. */
export type AskedVerb = Exclude<ContactVerb, 'pickUp'>;

interface Props {
  queueId: string;
  contact: WaitingContact;
  /** Whether there is another queue to move to. */
  movable: boolean;
  ask: (verb: AskedVerb) => void;
}

export function ContactMenu({ queueId, contact, movable, ask }: Props) {
  const { t } = useTranslation();
  const act = useContactAct(queueId, contact.contactId);
  const { done, failed } = useToasts();
  const caller = callerText(contact.caller, t('callers.withheld'));
  // Told even when the contact has left the table meanwhile, and this menu with it: that is when it matters most.
  const pickUp = () => void act.mutateAsync({ verb: 'pickUp' }).then(() => done(t('callers.done.pickUp', { caller })), failed);
  return (
    <Menu width={220}>
      <Menu.Target>
        <ActionIcon aria-label={t('callers.menu', { caller })} loading={act.isPending}>
          <MoreHorizontal size={16} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<PhoneIncoming size={14} aria-hidden="true" />} onClick={pickUp}>
          {t('callers.pickUp')}
        </Menu.Item>
        <Menu.Item leftSection={<TrendingUp size={14} aria-hidden="true" />} onClick={() => ask('setPriority')}>
          {t('callers.setPriority')}
        </Menu.Item>
        <Menu.Item leftSection={<ArrowRightLeft size={14} aria-hidden="true" />} disabled={!movable} onClick={() => ask('move')}>
          {t('callers.move')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={14} aria-hidden="true" />} onClick={() => ask('takeOut')}>
          {t('callers.takeOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
