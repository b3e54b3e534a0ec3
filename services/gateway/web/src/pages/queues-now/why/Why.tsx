/** A button "Why?" whose panel explains. The panel takes the focus, and Escape gives it back to the button. */
import { ActionIcon, Button, Popover } from '@mantine/core';
import { CircleMinus, CircleQuestionMark, X } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { sentence } from '../../../api/problem';
import type { Sentences } from '../../../api/reasons';
import { Glyph } from '../../../parts/Glyph';
import { Notice } from '../../../parts/Notice';
import { Loading } from '../../../parts/Section';
import type { Status } from '../../../parts/status';
import { timeOfDay } from '../../../time/format';

interface Props {
  /** The whole question: the panel's title and the button's name. */
  question: string;
  /** Drawn, and so asked of the server, only while the panel is open. */
  children: ReactNode;
}

export function Why({ question, children }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const title = useId();
  return (
    <Popover opened={open} onChange={setOpen} width={420} position="bottom-end" shadow="lg" trapFocus returnFocus withRoles={false}>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          className="icon-narrow"
          aria-label={question}
          aria-haspopup="dialog"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <span className="wide-only">{t('why.button')}</span>
          <CircleQuestionMark size={14} className="only-narrow" aria-hidden="true" />
        </Button>
      </Popover.Target>
      <Popover.Dropdown className="why" role="dialog" aria-labelledby={title}>
        <div className="row g8">
          <h3 id={title} className="grow">
            {question}
          </h3>
          <ActionIcon aria-label={t('app.close')} onClick={() => setOpen(false)}>
            <X size={16} aria-hidden="true" />
          </ActionIcon>
        </div>
        {children}
      </Popover.Dropdown>
    </Popover>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
}

interface Answering<T> {
  query: Asked<T>;
  children: (answer: T) => ReactNode;
}

/** The panel's content: loading, a failure in words with its code, or the answer. An old answer gives way to a failure. */
export function Read<T>({ query, children }: Answering<T>) {
  const { t } = useTranslation();
  if (query.error) {
    const told = sentence(query.error, t);
    return (
      <Notice kind="bad" code={told.code}>
        {told.text}
      </Notice>
    );
  }
  return query.data === undefined ? <Loading /> : children(query.data);
}

/** The server's sentence in the language of the page. */
export function Sentence({ sentences }: { sentences: Sentences }) {
  const { i18n } = useTranslation();
  return <p className="answer">{i18n.language === 'it' ? sentences.it : sentences.en}</p>;
}

/** Reasons as they are now: the sentence first, when they were true last. */
export function Answer<T extends { sentences: Sentences; asOf: number | undefined }>({ query, children }: Answering<T>) {
  const { t, i18n } = useTranslation();
  return (
    <Read query={query}>
      {(data) => (
        <>
          <Sentence sentences={data.sentences} />
          {children(data)}
          {data.asOf !== undefined && <p className="small dim num">{t('live.asOf', { time: timeOfDay(data.asOf, i18n.language) })}</p>}
        </>
      )}
    </Read>
  );
}

/** A mark and the words of a rule; a rule that is no state of an agent has a neutral mark. */
export function Rule({ mark, children }: { mark: Status | undefined; children: ReactNode }) {
  return (
    <span className="state rule">
      {mark ? <Glyph s={mark} /> : <CircleMinus size={14} className="dim" aria-hidden="true" />}
      <span>{children}</span>
    </span>
  );
}
