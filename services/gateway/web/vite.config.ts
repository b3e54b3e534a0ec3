import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The development server hands the API to a running gateway; CENTRO_HTTP names another one.
const gateway = process.env.CENTRO_HTTP ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', sourcemap: false },
  server: { host: '127.0.0.1', proxy: { '/v1': { target: gateway, changeOrigin: true, ws: true } } },
});
