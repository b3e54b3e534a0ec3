/** Start: providers, then the pages. */
import '@fontsource-variable/inter/index.css';
import '@mantine/core/styles.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/table.css';
import './styles/parts.css';
import './styles/page.css';
import './i18n';
import { DirectionProvider, MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './App';
import { resume } from './api/session';
import { Fault } from './parts/Fault';
import { Toasts } from './parts/Toasts';
import { cssVariablesResolver, theme } from './theme';

const schemes = localStorageColorSchemeManager({ key: 'centro.scheme' });

// Live snapshots are refreshed by events and by the poll of live/Live.tsx, so nothing refetches by itself; the browser's
// idea of "offline" is not asked, because the centre may be on this very machine.
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
});

void resume().catch(() => undefined);

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <DirectionProvider>
        <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} colorSchemeManager={schemes} defaultColorScheme="auto">
          <QueryClientProvider client={queries}>
            <Toasts>
              <BrowserRouter>
                <Fault>
                  <App />
                </Fault>
              </BrowserRouter>
            </Toasts>
          </QueryClientProvider>
        </MantineProvider>
      </DirectionProvider>
    </StrictMode>,
  );
