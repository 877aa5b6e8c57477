/**
 * The flooding clients of bench/socket-flood.ts, in a process of their own. Prints `ready`, then how many frames were
 * sent.
 */
import { WebSocket } from 'ws';
import { type Flood, framesOf } from './kinds.ts';

const [url, kind, count, seconds] = process.argv.slice(2);
const { round } = framesOf(kind as Flood);
/** What a client lets lie in its socket. */
const MAX_UNSENT_BYTES = 1024 * 1024;
const BURST = 50;
let sent = 0;

function flood(): void {
  const socket = new WebSocket(`${url}/v1/realtime?model=flood`, { perMessageDeflate: false });
  let at = 0;
  const burst = () => {
    if (socket.readyState !== socket.OPEN) return;
    for (let i = 0; i < BURST && socket.bufferedAmount < MAX_UNSENT_BYTES; i++) {
      socket.send(round[at++ % round.length]);
      sent++;
    }
    setImmediate(burst);
  };
  socket.on('open', burst);
  socket.on('message', () => {});
  socket.on('error', () => {});
  // Whoever is put out comes again.
  socket.on('close', (code, reason) => {
    closes[`${code} ${reason}`] = (closes[`${code} ${reason}`] ?? 0) + 1;
    setTimeout(flood, 20);
  });
}

const closes: Record<string, number> = {};
console.log('ready');
for (let i = 0; i < Number(count); i++) flood();
setTimeout(() => {
  console.log(sent);
  console.error(kind, closes);
  process.exit(0);
}, Number(seconds) * 1000);
