import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueueStatus } from '../../api/read';
import { Caller } from '../../parts/People';
import { Glyph } from '../../parts/Glyph';
import { Since } from '../../parts/Times';

/** Rows at first; the rest opens. */
const SHOWN = 10;

/** The callers of one queue in the order they will be served. */
export function WaitingCallers({ queue, nameOf }: { queue: QueueStatus; nameOf: (agentId: string) => string }) {
  const { t } = useTranslation();
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
                  <span className="dim">{t('callers.notOffered')}</span>
                )}
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
