/** Sign-in with login and password. The organisation is asked for only where it is needed or wanted. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem, sentence, type Told } from '../../api/problem';
import { signIn, type OutWhy } from '../../api/session';
import { Notice } from '../../parts/Notice';
import { Logo } from '../../parts/Page';
import { Tools } from '../../shell/Tools';
import { forgetStored, store, stored } from '../../storage';

const STORED = 'centro.tenant';

export function SignIn({ why }: { why: OutWhy }) {
  const { t } = useTranslation();
  const [tenant, setTenant] = useState(() => stored('local', STORED) ?? '');
  const [other, setOther] = useState(tenant !== '');
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<Told>();
  const tenantField = useRef<HTMLInputElement>(null);
  const loginField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = `${t('signIn.title')} · Centro`;
  }, [t]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setTold(undefined);
    if (!login.trim()) return loginField.current?.focus();
    if (!password) return passwordField.current?.focus();
    setBusy(true);
    const slug = other ? tenant.trim() : '';
    try {
      await signIn(slug, login.trim(), password);
      if (slug) store('local', STORED, slug);
      else forgetStored('local', STORED);
    } catch (error) {
      setTold(sentence(error, t));
      setBusy(false);
      if (error instanceof Problem && error.code === 'tenant_needed') {
        setOther(true);
        requestAnimationFrame(() => tenantField.current?.focus());
      } else passwordField.current?.select();
    }
  };

  return (
    <div className="signin">
      <header>
        <Logo size={24} />
        <b>Centro</b>
        <span className="end">
          <Tools />
        </span>
      </header>
      <main>
        <form onSubmit={(event) => void submit(event)} noValidate aria-busy={busy}>
          <h1>{t('signIn.title')}</h1>
          <p className="lead">
            {t('signIn.account')}{' '}
            {!other && (
              <button
                type="button"
                className="linkbtn"
                onClick={() => {
                  setOther(true);
                  requestAnimationFrame(() => tenantField.current?.focus());
                }}
              >
                {t('signIn.other')}
              </button>
            )}
          </p>
          {why === 'ended' && !told && <Notice>{t('signIn.ended')}</Notice>}
          {why === 'password' && !told && <Notice kind="ok">{t('signIn.passwordChanged')}</Notice>}
          {told && (
            <Notice kind="bad" code={told.code}>
              {told.text}
            </Notice>
          )}
          {other && (
            <TextInput
              ref={tenantField}
              size="lg"
              label={t('signIn.organisation')}
              description={t('signIn.organisationHelp')}
              name="organization"
              autoComplete="organization"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={40}
              value={tenant}
              onChange={(event) => setTenant(event.currentTarget.value)}
            />
          )}
          <TextInput
            ref={loginField}
            size="lg"
            label={t('signIn.login')}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            maxLength={255}
            value={login}
            onChange={(event) => setLogin(event.currentTarget.value)}
            error={tried && !login.trim() ? t('signIn.loginMissing') : undefined}
          />
          <PasswordInput
            ref={passwordField}
            size="lg"
            label={t('signIn.password')}
            name="password"
            autoComplete="current-password"
            maxLength={1024}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={tried && !password ? t('signIn.passwordMissing') : undefined}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.show') }}
          />
          <Button type="submit" size="lg" fullWidth loading={busy}>
            {t('signIn.submit')}
          </Button>
          <p className="small dim">{t('signIn.note')}</p>
        </form>
      </main>
      <footer className="small dim">
        <span>Centro · {t('app.tagline')}</span>
      </footer>
    </div>
  );
}
