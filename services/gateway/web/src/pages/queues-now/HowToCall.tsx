import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { useNumbers } from '../../api/queries';
import { Tel } from '../../parts/People';
import { SnapshotNotice } from '../../parts/Section';

/** More numbers than this do not help anybody who wants to try one. */
const SHOWN = 4;

/** What to dial to see a call here. */
export function HowToCall() {
  const { t } = useTranslation();
  const numbers = useNumbers();
  if (!numbers.data) return <SnapshotNotice snapshot="numbers" query={numbers} />;
  if (numbers.data.length === 0) return <p className="empty">{t('howTo.none')}</p>;
  return (
    <p className="empty">
      {t('howTo.call')}{' '}
      {numbers.data.slice(0, SHOWN).map((number, index, shown) => (
        <Fragment key={number.id}>
          {index > 0 && (index === shown.length - 1 ? ` ${t('howTo.or')} ` : ', ')}
          <span className="strong">
            <Tel number={number.e164} />
          </span>
          {number.displayName && <bdi className="dim"> ({number.displayName})</bdi>}
        </Fragment>
      ))}
      .
    </p>
  );
}
