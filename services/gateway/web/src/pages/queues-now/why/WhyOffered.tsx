/** Why a contact was offered to whom: each of its latest offers with its sentence, and the queues that wanted the agent. */
import { useTranslation } from 'react-i18next';
import type { Contact } from '../../../api/read';
import { useDecisions } from '../../../api/reasons';
import { callerText } from '../../../parts/People';
import { Instant } from '../../../parts/Times';
import { Read, Sentence, Why } from './Why';

interface Props {
  contact: Contact;
  nameOf: (agentId: string) => string;
  queueOf: (queueId: string) => string;
}

export function WhyOffered(props: Props) {
  const { t } = useTranslation();
  return (
    <Why question={t('why.offered', { caller: callerText(props.contact.caller, t('callers.withheld')) })}>
      <Decisions {...props} />
    </Why>
  );
}

function Decisions({ contact, nameOf, queueOf }: Props) {
  const { t } = useTranslation();
  const decisions = useDecisions(contact.id);
  return (
    <Read query={decisions}>
      {(all) =>
        all.length === 0 ? (
          <p>{t('why.neverOffered')}</p>
        ) : (
          <ol className="rules" aria-label={t('why.offers')}>
            {all.map((one) => (
              <li key={one.key} data-agent={one.agentId}>
                <span className="row wrap g8">
                  <bdi className="strong">{nameOf(one.agentId)}</bdi>
                  <bdi className="mid">{queueOf(one.queueId)}</bdi>
                  <span className="dim">
                    <Instant at={one.offerTime} />
                  </span>
                </span>
                <Sentence sentences={one.sentences} />
                {one.bids.length > 1 && (
                  <p className="small dim">{t('why.bids', { bids: one.bids.map((bid) => `${queueOf(bid.queueId)} ${bid.weight}`).join(' · ') })}</p>
                )}
              </li>
            ))}
          </ol>
        )
      }
    </Read>
  );
}
