/** The pages there are, for the sidebar and the tab bar. Only what exists and what the person may see. */
import { Activity, Headphones, type LucideIcon } from 'lucide-react';
import type { Me } from '../api/read';

export interface PageLink {
  to: string;
  section: 'live' | 'work';
  /** Key of the words. */
  name: string;
  icon: LucideIcon;
}

export function pagesFor(me: Me): PageLink[] {
  const pages: PageLink[] = [];
  if (me.permissions.has('live.view')) pages.push({ to: '/queues-now', section: 'live', name: 'nav.queuesNow', icon: Activity });
  if (me.permissions.has('agent.work')) pages.push({ to: '/desk', section: 'work', name: 'nav.desk', icon: Headphones });
  return pages;
}
