import { useTranslation } from 'react-i18next';
import { useFreshness } from '../live/pulse';

/** The state of the connection as mark and word. Changes are read out, heartbeats are not. */
export function Connection() {
  const { t } = useTranslation();
  const at = useFreshness();
  return (
    <span className="conn small dim" role="status" data-at={at}>
      <i aria-hidden="true" /> {t(`live.${at}`)}
    </span>
  );
}
