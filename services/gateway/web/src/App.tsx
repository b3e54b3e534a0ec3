/** Which page stands at which address, and who may see it. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, Route, Routes } from 'react-router';
import { useSession } from './api/session';
import { Live } from './live/Live';
import { Desk } from './pages/desk/Desk';
import { QueuesNow } from './pages/queues-now/QueuesNow';
import { SignIn } from './pages/signin/SignIn';
import { Shell } from './shell/Shell';

export function App() {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const session = useSession();
  const out = session.at === 'out';
  useEffect(() => {
    // Nothing of one person is left for the next.
    if (out) cache.clear();
  }, [out, cache]);

  if (session.at === 'starting') return <div className="starting">{t('app.starting')}</div>;
  if (session.at === 'out') return <SignIn why={session.why} />;
  const floor = session.me.permissions.has('live.view');
  return (
    <>
      <Live />
      <Routes>
        <Route element={<Shell />}>
          {floor && <Route path="/queues-now" element={<QueuesNow />} />}
          <Route path="/desk" element={<Desk />} />
          <Route path="*" element={<Navigate to={floor ? '/queues-now' : '/desk'} replace />} />
        </Route>
      </Routes>
    </>
  );
}
