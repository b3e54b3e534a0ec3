import { Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { Check, KeyRound, LogOut } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut, useMe } from '../api/session';
import { LANGUAGES, chooseLanguage, type Language } from '../i18n';
import { Avatar } from '../parts/People';
import { PasswordDialog } from './PasswordDialog';

const NAMES = { en: 'English', it: 'Italiano' } as const;
const SCHEMES: readonly MantineColorScheme[] = ['light', 'dark', 'auto'];

/** What belongs to the person: language, appearance, password, leaving. */
export function PersonMenu() {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [changing, setChanging] = useState(false);
  const check = <Check size={14} aria-hidden="true" />;
  return (
    <>
      <Menu width={224}>
        <Menu.Target>
          <button type="button" className="avbtn" aria-label={t('person.menu', { name: me.user.displayName })}>
            <Avatar name={me.user.displayName} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <b className="who">{me.user.displayName}</b>
            {me.user.login !== me.user.displayName && <span className="login">{me.user.login}</span>}
          </Menu.Label>
          <Menu.Divider />
          <Menu.Label>{t('person.language')}</Menu.Label>
          <Menu.RadioGroup value={i18n.language} onChange={(language) => chooseLanguage(language as Language)}>
            {LANGUAGES.map((language) => (
              <Menu.RadioItem key={language} value={language} lang={language} closeMenuOnClick checkIcon={check}>
                {NAMES[language]}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Label>{t('person.appearance')}</Menu.Label>
          <Menu.RadioGroup value={colorScheme} onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}>
            {SCHEMES.map((scheme) => (
              <Menu.RadioItem key={scheme} value={scheme} closeMenuOnClick checkIcon={check}>
                {t(`person.${scheme}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
          <Menu.Item leftSection={<KeyRound size={14} aria-hidden="true" />} onClick={() => setChanging(true)}>
            {t('person.password')}
          </Menu.Item>
          <Menu.Item leftSection={<LogOut size={14} aria-hidden="true" />} onClick={() => void signOut()}>
            {t('person.signOut')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {changing && <PasswordDialog close={() => setChanging(false)} />}
    </>
  );
}
