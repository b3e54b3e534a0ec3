/**
 * The live stream: one WebSocket to /v1/live for as long as somebody is signed in. Owns the connection and its
 * retries; tells what arrives and whether it is up. A silent socket counts as dead.
 */
import { bearer } from '../api/session';
import { readMessage, retryAfter, type LiveMessage } from './message';

/** Without any message for so long the connection is given up and made anew. */
const SILENT_MS = 45_000;

export interface LiveHandlers {
  /** The stream is accepted, or lost. */
  up: (up: boolean) => void;
  message: (message: LiveMessage) => void;
}

/** Opens the stream; the answer closes it for good. */
export function openLive(handlers: LiveHandlers): () => void {
  let socket: WebSocket | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let closed = false;

  const listen = (ws: WebSocket) => {
    clearTimeout(silence);
    silence = setTimeout(() => ws.close(), SILENT_MS);
  };
  const connect = () => {
    const url = new URL('/v1/live', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const ws = new WebSocket(url);
    let accepted = false;
    socket = ws;
    ws.onopen = () => {
      ws.send(JSON.stringify({ token: bearer() }));
      listen(ws);
    };
    ws.onmessage = (arrived) => {
      const message = readMessage(arrived.data);
      listen(ws);
      if (!accepted) {
        accepted = true;
        attempt = 0;
        handlers.up(true);
      }
      handlers.message(message);
    };
    ws.onclose = () => {
      clearTimeout(silence);
      if (socket !== ws || closed) return;
      handlers.up(false);
      const wait = retryAfter(attempt, Math.random);
      attempt += 1;
      // A token that ran out is renewed by the polls that go on meanwhile; the next attempt takes it along.
      retry = setTimeout(connect, wait);
    };
  };
  const wake = () => {
    // The computer slept or the network came back: do not wait for the back-off.
    if (closed || socket?.readyState === WebSocket.OPEN || socket?.readyState === WebSocket.CONNECTING) return;
    clearTimeout(retry);
    attempt = 0;
    connect();
  };

  connect();
  addEventListener('online', wake);
  return () => {
    closed = true;
    clearTimeout(retry);
    clearTimeout(silence);
    removeEventListener('online', wake);
    socket?.close(1000);
  };
}
