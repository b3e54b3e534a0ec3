/** The frame of every page behind the sign-in: sidebar, top bar with connection and person, white sheet. */
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, Outlet, useLocation } from 'react-router';
import { useQueueStatuses } from '../api/queries';
import type { Role } from '../api/types';
import { useMe } from '../api/session';
import { Fault } from '../parts/Fault';
import { Logo } from '../parts/Page';
import { Connection } from './Connection';
import { PersonMenu } from './PersonMenu';
import { pagesFor, type PageLink } from './pages';

const RANK: readonly Role[] = ['ROLE_OWNER', 'ROLE_ADMIN', 'ROLE_SUPERVISOR', 'ROLE_AGENT'];

function WaitingCount() {
  const { t } = useTranslation();
  const queues = useQueueStatuses();
  const waiting = (queues.data?.rows ?? []).reduce((sum, queue) => sum + queue.waiting, 0);
  if (waiting === 0) return null;
  return (
    <span className="cnt num">
      {waiting}
      <span className="sr"> {t('nav.waiting')}</span>
    </span>
  );
}

export function Shell() {
  const { t } = useTranslation();
  const me = useMe();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const arrived = useRef(pathname);
  useEffect(() => {
    // A new page: reading goes on at its top, as after a full load.
    if (arrived.current === pathname) return;
    arrived.current = pathname;
    main.current?.focus();
    main.current?.scrollTo(0, 0);
  }, [pathname]);

  const pages = pagesFor(me);
  const role = RANK.find((r) => me.user.roles.includes(r));
  const sections = (['live', 'work'] as const).map((section) => ({ section, links: pages.filter((p) => p.section === section) }));
  const link = ({ to, name, icon: Icon }: PageLink) => (
    <NavLink key={to} to={to} className="nav">
      <Icon size={16} aria-hidden="true" />
      <span className="ell">{t(name)}</span>
      {to === '/queues-now' && <WaitingCount />}
    </NavLink>
  );
  return (
    <div className="shell">
      <a href="#main" className="skip">
        {t('app.skip')}
      </a>
      <nav className="side" aria-label={t('app.main')}>
        <div className="tenant">
          <Logo />
          <div className="grow">
            <b className="ell">{me.tenantName || 'Centro'}</b>
            {role && <span className="small dim">{t(`role.${role}`)}</span>}
          </div>
        </div>
        {sections.map(
          ({ section, links }) =>
            links.length > 0 && (
              <section key={section}>
                <div className="nav-sec">{t(`nav.${section}`)}</div>
                {links.map(link)}
              </section>
            ),
        )}
      </nav>
      <header className="top">
        <span className="row g8 only-narrow-flex">
          <Logo />
          <b className="ell">{me.tenantName || 'Centro'}</b>
        </span>
        <span className="end" />
        <Connection />
        <PersonMenu />
      </header>
      <main className="main" id="main" tabIndex={-1} ref={main}>
        <Fault on={pathname}>
          <Outlet />
        </Fault>
      </main>
      {pages.length > 1 && (
        <nav className="tabbar" aria-label={t('app.main')}>
          {pages.map(({ to, name, icon: Icon }) => (
            <NavLink key={to} to={to}>
              <Icon size={16} aria-hidden="true" />
              <span>{t(name)}</span>
            </NavLink>
          ))}
        </nav>
      )}
    </div>
  );
}
