/** Why an agent gets no contact: the sentence, what is in the way, and what there is in each queue. */
import { useTranslation } from 'react-i18next';
import { useAgentReasons, type QueueReasons } from '../../../api/reasons';
import { Until } from '../../../parts/Times';
import { Answer, Rule, Why } from './Why';
import { knownHindrance, markOfHindrance } from './verdict';

interface Props {
  agentId: string;
  name: string;
  queueOf: (queueId: string) => string;
}

export function WhyAgent(props: Props) {
  const { t } = useTranslation();
  return (
    <Why question={t('why.agent', { name: props.name })}>
      <Reasons {...props} />
    </Why>
  );
}

function Reasons({ agentId, queueOf }: Props) {
  const { t } = useTranslation();
  const reasons = useAgentReasons(agentId);
  return (
    <Answer query={reasons}>
      {(why) => (
        <>
          {why.hindrances.length > 0 && (
            <ul className="rules" aria-label={t('why.hindrances')}>
              {why.hindrances.map((one) => (
                <li key={`${one.kind} ${one.queueId}`} data-kind={one.kind}>
                  <Rule mark={markOfHindrance(one.kind)}>
                    {t(`hindrance.${knownHindrance(one.kind)}`)}
                    {one.queueId && (
                      <>
                        {' · '}
                        <bdi>{queueOf(one.queueId)}</bdi>
                      </>
                    )}
                    {one.pauseReason && (
                      <span className="dim reason">
                        {' · '}
                        <bdi>{one.pauseReason}</bdi>
                      </span>
                    )}
                    {one.until !== undefined && (
                      <span className="dim num">
                        {' · '}
                        <Until at={one.until} />
                      </span>
                    )}
                  </Rule>
                </li>
              ))}
            </ul>
          )}
          {why.queues.length > 0 && (
            <table className="t tight" aria-label={t('why.queues')}>
              <thead>
                <tr>
                  <th scope="col">{t('queues.queue')}</th>
                  <th scope="col" className="r">
                    {t('queues.waiting')}
                  </th>
                  <th scope="col">{t('why.forAgent')}</th>
                </tr>
              </thead>
              <tbody>
                {why.queues.map((queue) => (
                  <tr key={queue.queueId} data-queue={queue.queueId}>
                    <th scope="row">
                      <bdi>{queueOf(queue.queueId)}</bdi>
                    </th>
                    <td className="r num">{queue.waiting}</td>
                    <td>
                      <InQueue queue={queue} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
    </Answer>
  );
}

function InQueue({ queue }: { queue: QueueReasons }) {
  const { t } = useTranslation();
  if (queue.waiting === 0) return <span className="dim">–</span>;
  if (queue.couldServe) return t('why.couldServe');
  const kept = (['unskilled', 'notOpen', 'excluded'] as const).filter((why) => queue[why] > 0);
  return kept.map((why) => t(`why.${why}`, { count: queue[why] })).join(' · ');
}
