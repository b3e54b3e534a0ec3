/** Short answers to what a person did: bottom end, one line, 8 s; failures stay until closed and carry their code. */
import { ActionIcon } from '@mantine/core';
import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { sentence } from '../api/problem';

interface Toast {
  id: number;
  text: string;
  code?: string;
  bad: boolean;
}
interface Tell {
  done: (text: string) => void;
  failed: (error: unknown) => void;
}

const SHOWN_MS = 8000;
const MOST = 4;
const Context = createContext<Tell>({ done: () => undefined, failed: () => undefined });

export const useToasts = (): Tell => useContext(Context);

export function Toasts({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const next = useRef(0);
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const add = useCallback(
    (toast: Omit<Toast, 'id'>) => {
      const id = (next.current += 1);
      setToasts((all) => [...all, { ...toast, id }].slice(-MOST));
      if (!toast.bad) setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  const tell = useMemo<Tell>(
    () => ({
      done: (text) => add({ text, bad: false }),
      failed: (error) => add({ ...sentence(error, t), bad: true }),
    }),
    [add, t],
  );
  const part = (bad: boolean) =>
    toasts
      .filter((toast) => toast.bad === bad)
      .map((toast) => (
        <div key={toast.id} className="toast">
          {bad ? <CircleAlert size={16} className="tone-bad" aria-hidden="true" /> : <CircleCheck size={16} className="tone-ok" aria-hidden="true" />}
          <span className="grow">
            {toast.text} {toast.code && <code className="code">{toast.code}</code>}
          </span>
          <ActionIcon aria-label={t('app.close')} onClick={() => close(toast.id)}>
            <X size={14} />
          </ActionIcon>
        </div>
      ));
  return (
    <Context value={tell}>
      {children}
      <div className="toasts">
        <div role="status">{part(false)}</div>
        <div role="alert">{part(true)}</div>
      </div>
    </Context>
  );
}
