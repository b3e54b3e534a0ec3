/** Languages: English and Italian, chosen by the person, else by the browser. `html lang` follows. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { store, stored } from '../storage';
import en from './locales/en.json';
import it from './locales/it.json';

export const LANGUAGES = ['en', 'it'] as const;
export type Language = (typeof LANGUAGES)[number];

const STORED = 'centro.language';

function first(): Language {
  const chosen = stored('local', STORED);
  if (chosen === 'en' || chosen === 'it') return chosen;
  return navigator.language.toLowerCase().startsWith('it') ? 'it' : 'en';
}

i18next.on('languageChanged', (language) => {
  document.documentElement.lang = language;
});

void i18next.use(initReactI18next).init({
  lng: first(),
  fallbackLng: 'en',
  resources: { en: { translation: en }, it: { translation: it } },
  interpolation: { escapeValue: false },
  returnNull: false,
});

export function chooseLanguage(language: Language): void {
  store('local', STORED, language);
  void i18next.changeLanguage(language);
}

export default i18next;
