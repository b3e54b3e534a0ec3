import { useTranslation } from 'react-i18next';
import { Glyph } from './Glyph';
import { TONE, type Status } from './status';

/** A state as mark and word, with what follows it where that differs, and the reason of a pause. */
export function State({ s, then, reason = '' }: { s: Status; then?: Status | undefined; reason?: string }) {
  const { t } = useTranslation();
  return (
    <span className="state">
      <Glyph s={s} />
      <span>
        {t(`state.${s}`)}
        {then && <span className="dim"> · {t('state.then', { state: t(`state.${then}`).toLowerCase() })}</span>}
        {reason && (
          <span className="dim reason">
            {' · '}
            <bdi>{reason}</bdi>
          </span>
        )}
      </span>
    </span>
  );
}

export type Mix = Readonly<Record<Status, number>>;
const ORDER: readonly Status[] = ['available', 'ringing', 'call', 'wrap', 'paused', 'missed'];

/** Agents by state: a thin bar, always with marks and numbers beside it; the legend with words is on the same page. */
export function StateBar({ mix }: { mix: Mix }) {
  const { t } = useTranslation();
  const present = ORDER.filter((s) => mix[s] > 0);
  return (
    <span className="statebar">
      <span className="seg" aria-hidden="true">
        {present.map((s) => (
          <i key={s} style={{ flex: mix[s], background: `var(--c-${TONE[s]}-fill)` }} />
        ))}
      </span>
      <span className="row wrap g12 small num mid">
        {present.map((s) => (
          <span key={s} className="row g4" title={t(`state.${s}`)}>
            <Glyph s={s} size={11} />
            {mix[s]}
            <span className="sr"> {t(`state.${s}`)}</span>
          </span>
        ))}
      </span>
    </span>
  );
}

export function StateLegend({ label }: { label: string }) {
  const { t } = useTranslation();
  return (
    <ul className="legend" aria-label={label}>
      {ORDER.map((s) => (
        <li key={s}>
          <Glyph s={s} size={11} />
          {t(`state.${s}`)}
        </li>
      ))}
    </ul>
  );
}
