/** A word whose meaning opens on pointing at it or reaching it with the keyboard: the definitions of docs/metrics-definitions.md. */
import { Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type en from '../i18n/locales/en.json';

/** A figure that has a definition, by its name in the code. */
export type Figure = keyof typeof en.definition;

interface Props {
  word: string;
  figures: readonly Figure[];
}

export function Explained({ word, figures }: Props) {
  const { t } = useTranslation();
  const label = figures.map((figure) => (
    <span key={figure} className="definition">
      {t(`definition.${figure}`)}
    </span>
  ));
  return (
    <Tooltip label={label} multiline w={320} px={12} py={8} withArrow events={{ hover: true, focus: true, touch: true }}>
      <button type="button" className="explained">
        {word}
      </button>
    </Tooltip>
  );
}
