/** What just happened: the last contacts, how they ended, and their recordings to hear. */
import { Button } from '@mantine/core';
import { CircleAlert, CircleCheck, CircleMinus, Clock, Play, TriangleAlert, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Contact } from '../../api/read';
import { useMe } from '../../api/session';
import { Glyph } from '../../parts/Glyph';
import { Caller, callerText } from '../../parts/People';
import { Instant, Length, Since } from '../../parts/Times';
import { localeOf, shortInstant } from '../../time/format';
import { RecordingPlayer } from './RecordingPlayer';
import { outcomeTone, outcomeWord } from './outcome';
import { WhyOffered } from './why/WhyOffered';

const ICON = { ok: CircleCheck, warn: TriangleAlert, bad: CircleAlert, idle: CircleMinus } as const;

function OutcomeState({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const word = outcomeWord(contact);
  const tone = outcomeTone(word);
  const Icon = word === 'waiting' ? Clock : tone === 'busy' || tone === 'wrap' ? undefined : ICON[tone];
  return (
    <span className={`state tone-${tone}`}>
      {Icon ? <Icon size={14} aria-hidden="true" /> : <Glyph s="call" />}
      {t(`outcome.${word}`)}
    </span>
  );
}

interface Props {
  contacts: Contact[];
  nameOf: (agentId: string) => string;
  queueOf: (queueId: string) => string;
}

export function ContactTable({ contacts, nameOf, queueOf }: Props) {
  const { t, i18n } = useTranslation();
  const { permissions } = useMe();
  const [playing, setPlaying] = useState('');
  const listens = permissions.has('recordings.listen');
  const keyOf = (contact: Contact) => `${contact.id}/${contact.queueId}/${contact.enqueueTime ?? ''}`;

  if (contacts.length === 0) return <p className="empty">{t('contacts.empty')}</p>;
  return (
    <table className="t dense" aria-label={t('contacts.table')}>
      <thead>
        <tr>
          <th scope="col" className="col-time">
            {t('contacts.time')}
          </th>
          <th scope="col">{t('contacts.caller')}</th>
          <th scope="col" className="wide-only">
            {t('contacts.queue')}
          </th>
          <th scope="col" className="col-outcome">
            {t('contacts.outcome')}
          </th>
          <th scope="col" className="r wide-only">
            {t('contacts.wait')}
          </th>
          <th scope="col" className="r wide-only">
            {t('contacts.talk')}
          </th>
          <th scope="col" className="wide-only">
            {t('contacts.agent')}
          </th>
          {listens && (
            <th scope="col" className="r col-act">
              <span className="wide-only">{t('contacts.recording')}</span>
            </th>
          )}
          <td className="acts" />
        </tr>
      </thead>
      {contacts.map((contact) => {
        const key = keyOf(contact);
        const word = outcomeWord(contact);
        const open = playing === key;
        const time = contact.enqueueTime === undefined ? '' : shortInstant(contact.enqueueTime, Date.now(), localeOf(i18n.language));
        const label = { caller: callerText(contact.caller, t('callers.withheld')), time };
        return (
          <tbody key={key} data-contact={contact.id}>
            <tr className={open ? 'open' : undefined}>
              <td className="dim">
                <Instant at={contact.enqueueTime} />
              </td>
              <th scope="row">
                <Caller party={contact.caller} />
                <div className="only-narrow small dim">
                  <bdi>{queueOf(contact.queueId)}</bdi>
                </div>
              </th>
              <td className="wide-only">
                <bdi>{queueOf(contact.queueId)}</bdi>
              </td>
              <td>
                <OutcomeState contact={contact} />
              </td>
              <td className="r wide-only">{word === 'waiting' ? <Since at={contact.enqueueTime} /> : <Length ms={contact.waitMs} />}</td>
              <td className="r wide-only">
                {word === 'inCall' ? (
                  <Since at={contact.connectTime} />
                ) : contact.connectTime === undefined ? (
                  <span className="dim">–</span>
                ) : (
                  <Length ms={contact.talkMs} />
                )}
              </td>
              <td className="wide-only">{contact.agentId ? <bdi>{nameOf(contact.agentId)}</bdi> : <span className="dim">–</span>}</td>
              {listens && (
                <td className="r">
                  {contact.recordingId === '' ? (
                    <span className="dim">–</span>
                  ) : word === 'inCall' ? (
                    <span className="small dim">{t('contacts.running')}</span>
                  ) : (
                    <Button
                      size="xs"
                      variant="default"
                      className="icon-narrow"
                      leftSection={open ? <X size={12} aria-hidden="true" /> : <Play size={12} aria-hidden="true" />}
                      aria-expanded={open}
                      aria-label={t(open ? 'contacts.closeLabel' : 'contacts.playLabel', label)}
                      onClick={() => setPlaying(open ? '' : key)}
                    >
                      <span className="wide-only">{open ? t('app.close') : t('contacts.play')}</span>
                    </Button>
                  )}
                </td>
              )}
              <td className="r acts">
                <WhyOffered contact={contact} nameOf={nameOf} queueOf={queueOf} />
              </td>
            </tr>
            {open && (
              <tr className="inset">
                <td colSpan={9}>
                  <RecordingPlayer recordingId={contact.recordingId} label={t('contacts.audio', label)} />
                </td>
              </tr>
            )}
          </tbody>
        );
      })}
    </table>
  );
}
