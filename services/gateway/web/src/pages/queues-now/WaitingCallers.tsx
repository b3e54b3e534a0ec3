import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueueStatus, WaitingContact } from '../../api/read';
import { useMe } from '../../api/session';
import { Caller } from '../../parts/People';
import { Glyph } from '../../parts/Glyph';
import { Since } from '../../parts/Times';
import { ContactMenu, type AskedVerb } from './ContactMenu';
import { WhyWaiting } from './why/WhyWaiting';

/** Rows at first; the rest opens. */
const SHOWN = 10;

interface Props {
  queue: QueueStatus;
  nameOf: (agentId: string) => string;
  queueOf: (queueId: string) => string;
  /** Whether there is another queue to move to. */
  movable: boolean;
  ask: (verb: AskedVerb, contact: WaitingContact) => void;
}

/** The callers of one queue in the order they will be served, with what may be asked and done. */
export function WaitingCallers({ queue, nameOf, queueOf, movable, ask }: Props) {
  const { t } = useTranslation();
  const manages = useMe().permissions.has('contacts.manage');
  const [all, setAll] = useState(false);
  const shown = all ? queue.contacts : queue.contacts.slice(0, SHOWN);
  const more = queue.contacts.length - shown.length;
  const beyond = queue.waiting - queue.contacts.length;
  return (
    <>
      <table className="t dense" aria-label={t('callers.table', { queue: queue.displayName })}>
        <thead>
          <tr>
            <th scope="col" className="r col-fold">
              <span aria-hidden="true">#</span>
              <span className="sr">{t('callers.position')}</span>
            </th>
            <th scope="col">{t('callers.caller')}</th>
            <th scope="col" className="r">
              {t('callers.wait')}
            </th>
            <th scope="col">{t('callers.offeredTo')}</th>
            <td className="acts" />
          </tr>
        </thead>
        <tbody>
          {shown.map((contact) => (
            <tr key={contact.contactId} data-contact={contact.contactId}>
              <td className="r num dim">{contact.position}</td>
              <td>
                <Caller party={contact.caller} />
              </td>
              <td className="r">
                <Since at={contact.enqueueTime} />
              </td>
              <td>
                {contact.offeredTo ? (
                  <span className="state">
                    <Glyph s="ringing" />
                    <bdi>{nameOf(contact.offeredTo)}</bdi>
                  </span>
                ) : (
                  <span className="dim">{contact.movingTo ? t('callers.moving', { queue: queueOf(contact.movingTo) }) : t('callers.notOffered')}</span>
                )}
              </td>
              <td className="r acts">
                <span className="row g4">
                  <WhyWaiting queueId={queue.queueId} contact={contact} nameOf={nameOf} />
                  {manages && <ContactMenu queueId={queue.queueId} contact={contact} movable={movable} ask={(verb) => ask(verb, contact)} />}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && (
        <button type="button" className="linkbtn" onClick={() => setAll(true)}>
          {t('callers.more', { count: more })}
        </button>
      )}
      {more === 0 && beyond > 0 && <p className="small dim">{t('callers.beyond', { count: beyond })}</p>}
    </>
  );
}
