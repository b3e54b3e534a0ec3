import { useTranslation } from 'react-i18next';
import { asOf, useFreshness } from '../live/pulse';
import { useNow } from '../time/clock';
import { timeOfDay } from '../time/format';

/** When everything on the page was true; says so loudly when that is too long ago. */
export function AsOf() {
  const { t, i18n } = useTranslation();
  useNow();
  const stale = useFreshness() === 'stale';
  const at = asOf();
  if (at === undefined) return null;
  const time = timeOfDay(at, i18n.language);
  return (
    <>
      {!stale && <span className="small dim num">{t('live.asOf', { time })}</span>}
      <span role="alert">{stale && <span className="tag bad">{t('live.staleBadge', { time })}</span>}</span>
    </>
  );
}
