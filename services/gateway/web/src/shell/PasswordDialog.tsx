/** Changing the own password. The rules are told before the server has to. */
import { Button, Modal, PasswordInput } from '@mantine/core';
import { useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { post } from '../api/client';
import { Problem, sentence, type Told } from '../api/problem';
import { refresh, useMe } from '../api/session';
import { Notice } from '../parts/Notice';
import { useToasts } from '../parts/Toasts';
import { faultOf, PASSWORD_MAX_BYTES } from './password';

export function PasswordDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const { done } = useToasts();
  const [current, setCurrent] = useState('');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const [wrong, setWrong] = useState(false);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<Told>();
  const fields = { current: useRef<HTMLInputElement>(null), fresh: useRef<HTMLInputElement>(null), again: useRef<HTMLInputElement>(null) };
  const fault = faultOf({ current, fresh, again });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setTold(undefined);
    if (fault) return fields[fault.field].current?.focus();
    setBusy(true);
    try {
      await post('/v1/me:changePassword', { currentPassword: current, newPassword: fresh });
    } catch (error) {
      setBusy(false);
      if (error instanceof Problem && error.code === 'password_wrong') {
        setWrong(true);
        fields.current.current?.select();
      } else setTold(sentence(error, t));
      return;
    }
    // Other sessions are over now. Whether this one is too, its next renewal tells; then the sign-in says why.
    const goesOn = await refresh('password').catch(() => true);
    if (!goesOn) return;
    done(t('password.done'));
    close();
  };
  const error = (field: keyof typeof fields) =>
    field === 'current' && wrong ? t('problem.password_wrong') : tried && fault?.field === field ? t(`password.${fault.why}`, { length: [...fresh].length }) : undefined;
  const show = { 'aria-label': t('signIn.show') };

  return (
    <Modal opened onClose={close} title={t('password.title')} closeButtonProps={{ 'aria-label': t('app.close') }} centered>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate aria-busy={busy}>
        {told && (
          <Notice kind="bad" code={told.code}>
            {told.text}
          </Notice>
        )}
        {/* For password managers, which keep passwords by login. */}
        <input type="text" name="username" autoComplete="username" value={me.user.login} readOnly hidden />
        <PasswordInput
          ref={fields.current}
          label={t('password.current')}
          name="current-password"
          autoComplete="current-password"
          data-autofocus
          maxLength={PASSWORD_MAX_BYTES}
          value={current}
          onChange={(event) => {
            setCurrent(event.currentTarget.value);
            setWrong(false);
          }}
          error={error('current')}
          visibilityToggleButtonProps={show}
        />
        <PasswordInput
          ref={fields.fresh}
          label={t('password.new')}
          description={t('password.rule')}
          name="new-password"
          autoComplete="new-password"
          maxLength={PASSWORD_MAX_BYTES}
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
          error={error('fresh')}
          visibilityToggleButtonProps={show}
        />
        <PasswordInput
          ref={fields.again}
          label={t('password.repeat')}
          name="new-password-again"
          autoComplete="new-password"
          maxLength={PASSWORD_MAX_BYTES}
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={error('again')}
          visibilityToggleButtonProps={show}
        />
        <p className="small dim">{t('password.others')}</p>
        <div className="row acts">
          <Button variant="default" onClick={close}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" loading={busy}>
            {t('password.submit')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
