/** Why a contact still waits: the sentence, what happens next, and every agent with the rule that holds. */
import { useTranslation } from 'react-i18next';
import type { WaitingContact } from '../../../api/read';
import { useSkillNames, useWaitingReasons, type Candidate, type SkillNeed } from '../../../api/reasons';
import { useMe } from '../../../api/session';
import { callerText } from '../../../parts/People';
import { Until } from '../../../parts/Times';
import { shortId } from '../order';
import { Answer, Rule, Why } from './Why';
import { knownVerdict, markOfVerdict } from './verdict';

interface Props {
  queueId: string;
  contact: WaitingContact;
  nameOf: (agentId: string) => string;
}

export function WhyWaiting(props: Props) {
  const { t } = useTranslation();
  return (
    <Why question={t('why.waiting', { caller: callerText(props.contact.caller, t('callers.withheld')) })}>
      <Reasons {...props} />
    </Why>
  );
}

function Reasons({ queueId, contact, nameOf }: Props) {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const reasons = useWaitingReasons(queueId, contact.contactId);
  const skills = useSkillNames(permissions.has('skills.view'));
  const needText = ({ skillId, sign, level }: SkillNeed) => `${skills.data?.get(skillId) || shortId(skillId)} ${sign} ${level}`;
  return (
    <Answer query={reasons}>
      {(why) => (
        <>
          <dl className="kv">
            <dt>{t('callers.position')}</dt>
            <dd className="num">{why.position}</dd>
            <dt>{t('why.loggedIn')}</dt>
            <dd className="num">{why.loggedIn}</dd>
            {why.needs.length > 0 && (
              <>
                <dt>{t('why.needs')}</dt>
                <dd>
                  <bdi>{why.needs.map(needText).join(' · ')}</bdi>
                </dd>
              </>
            )}
            {why.relaxTime !== undefined && (
              <>
                <dt>{t('why.relax')}</dt>
                <dd className="num">
                  <Until at={why.relaxTime} />
                </dd>
              </>
            )}
            {why.retryTime !== undefined && (
              <>
                <dt>{t('why.retry')}</dt>
                <dd className="num">
                  <Until at={why.retryTime} />
                </dd>
              </>
            )}
            {why.ringsAt.length > 0 && (
              <>
                <dt>{t('why.rings')}</dt>
                <dd>
                  <bdi>{why.ringsAt.map(nameOf).join(', ')}</bdi>
                </dd>
              </>
            )}
          </dl>
          {why.candidates.length > 0 && (
            <table className="t tight" aria-label={t('why.agents')}>
              <thead>
                <tr>
                  <th scope="col">{t('agents.agent')}</th>
                  <th scope="col">{t('why.rule')}</th>
                </tr>
              </thead>
              <tbody>
                {why.candidates.map((candidate) => (
                  <tr key={candidate.agentId} data-verdict={candidate.verdict}>
                    <th scope="row">
                      <bdi>{nameOf(candidate.agentId)}</bdi>
                    </th>
                    <td>
                      <Rule mark={markOfVerdict(candidate.verdict)}>
                        {t(`verdict.${knownVerdict(candidate.verdict)}`)}
                        <Detail candidate={candidate} needText={needText} />
                      </Rule>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {why.others > 0 && <p className="small dim">{t('why.more', { count: why.others })}</p>}
        </>
      )}
    </Answer>
  );
}

function Detail({ candidate, needText }: { candidate: Candidate; needText: (need: SkillNeed) => string }) {
  if (candidate.unmet.length > 0)
    return (
      <span className="dim">
        {': '}
        <bdi>{candidate.unmet.map(needText).join(', ')}</bdi>
      </span>
    );
  if (candidate.excludedUntil === undefined) return null;
  return (
    <span className="dim num">
      {' · '}
      <Until at={candidate.excludedUntil} />
    </span>
  );
}
