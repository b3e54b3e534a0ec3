import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { getBlob } from '../../api/client';
import { Problem, sentence, type Told } from '../../api/problem';
import { Notice } from '../../parts/Notice';

/** Plays one recording. An <audio> element cannot send the token, so the file is fetched first and given up with the player. */
export function RecordingPlayer({ recordingId, label }: { recordingId: string; label: string }) {
  const { t } = useTranslation();
  const [url, setUrl] = useState('');
  const [told, setTold] = useState<Told>();
  useEffect(() => {
    const given = new AbortController();
    let made = '';
    setUrl('');
    setTold(undefined);
    getBlob(`/v1/recordings/${recordingId}/audio`, given.signal).then(
      (blob) => {
        if (given.signal.aborted) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      (error: unknown) => {
        if (!Problem.isAbort(error)) setTold(sentence(error, t));
      },
    );
    return () => {
      given.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [recordingId, t]);

  if (told)
    return (
      <Notice kind="bad" code={told.code}>
        {told.text}
      </Notice>
    );
  return (
    <div className="player">
      {url ? (
        <>
          <audio controls autoPlay src={url} aria-label={label} />
          <a href={url} download={`${recordingId}.wav`} className="row g4">
            <Download size={14} aria-hidden="true" />
            {t('contacts.download')}
          </a>
          <span className="small dim">{t('contacts.channels')}</span>
        </>
      ) : (
        <span className="dim" role="status">
          {t('contacts.loading')}
        </span>
      )}
    </div>
  );
}
