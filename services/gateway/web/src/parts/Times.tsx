import { useTranslation } from 'react-i18next';
import { useNow } from '../time/clock';
import { clockText, fullInstant, isoDuration, localeOf, shortInstant } from '../time/format';

/** A fixed length of time, `m:ss`. */
export function Length({ ms, className = '' }: { ms: number; className?: string }) {
  return (
    <time className={`num ${className}`} dateTime={isoDuration(ms)}>
      {clockText(ms)}
    </time>
  );
}

/** Time since an instant, ticking. Not a live region: nobody wants each second read out. */
export function Since({ at, className }: { at: number | undefined; className?: string }) {
  const now = useNow();
  return at === undefined ? <span className="dim">–</span> : <Length ms={now - at} {...(className ? { className } : {})} />;
}

/** Time until an instant, ticking down to 0:00. */
export function Until({ at }: { at: number }) {
  const now = useNow();
  // A started second counts: a wrap-up of ten seconds begins with 0:10.
  return <>{clockText(Math.ceil((at - now) / 1000) * 1000)}</>;
}

/** An instant of the past, short; the whole of it in the title. */
export function Instant({ at }: { at: number | undefined }) {
  const { i18n } = useTranslation();
  if (at === undefined) return <span className="dim">–</span>;
  const locale = localeOf(i18n.language);
  return (
    <time className="nowrap" dateTime={new Date(at).toISOString()} title={fullInstant(at, locale)}>
      {shortInstant(at, Date.now(), locale)}
    </time>
  );
}
