import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { Moon, Sun } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES, chooseLanguage } from '../i18n';

/** Appearance and language where nobody is signed in yet. */
export function Tools() {
  const { t, i18n } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  return (
    <span className="row g8">
      <ActionIcon
        aria-label={scheme === 'light' ? t('tools.toDark') : t('tools.toLight')}
        onClick={() => setColorScheme(scheme === 'light' ? 'dark' : 'light')}
      >
        {scheme === 'light' ? <Moon size={16} /> : <Sun size={16} />}
      </ActionIcon>
      <span className="langs" role="group" aria-label={t('tools.language')}>
        {LANGUAGES.map((language) => (
          <button
            key={language}
            type="button"
            lang={language}
            aria-pressed={i18n.language === language}
            aria-label={language === 'en' ? 'EN, English' : 'IT, italiano'}
            onClick={() => chooseLanguage(language)}
          >
            {language.toUpperCase()}
          </button>
        ))}
      </span>
    </span>
  );
}
