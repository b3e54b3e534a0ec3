/** A part of a page that may be loading, missing, old or incomplete, and says so in its place, with the way out. */
import { Button, Skeleton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { sentence } from '../api/problem';
import type { Snapshot } from '../live/affected';
import { asOfSnapshot, useTrouble } from '../live/pulse';
import { numberFormat } from '../i18n/number';
import { timeOfDay } from '../time/format';
import { Notice } from './Notice';

interface Asked {
  data: unknown;
  error: unknown;
  isFetching: boolean;
  refetch: () => Promise<unknown>;
}

/** Nothing while all is well; a notice with a button when the snapshot cannot be read, or not any more. */
export function SnapshotNotice({ snapshot, query }: { snapshot: Snapshot; query: Asked }) {
  const { t, i18n } = useTranslation();
  const trouble = useTrouble(snapshot);
  const missing = query.data === undefined && Boolean(query.error);
  if (!missing && !trouble) return null;
  const told = sentence(trouble?.error ?? query.error, t);
  const at = asOfSnapshot(snapshot);
  return (
    <Notice
      kind={missing ? 'bad' : 'warn'}
      code={told.code}
      act={
        <Button size="xs" variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>
          {t('section.again')}
        </Button>
      }
    >
      <b>{missing ? t(`section.missing.${snapshot}`) : t(`section.old.${snapshot}`, { time: at === undefined ? '–' : timeOfDay(at, i18n.language) })}</b>{' '}
      {told.text} {t('section.keeps')}
    </Notice>
  );
}

/** Lines where rows will be. */
export function Loading({ rows = 3 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className="loading" role="status">
      <span className="sr">{t('section.loading')}</span>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={12} width={`${82 - ((row * 17) % 40)}%`} radius="sm" />
      ))}
    </div>
  );
}

/** Says that a list goes on beyond what is shown. */
export function Cut({ count }: { count: number }) {
  const { t, i18n } = useTranslation();
  return <p className="small dim">{t('section.cut', { number: numberFormat(i18n.language).format(count) })}</p>;
}
