/** Many telephones in one process: they call, say a recording over and over, each from elsewhere in it, and hear. */
import type { Clock } from '../../actors/core/clock.ts';
import { type DatagramSocket, type OnDatagram, PaceWheel, udpNetwork } from '../../protocols/rtp/index.ts';

const FRAME_BYTES = 160;
const HEADER_BYTES = 12;

export interface Caller {
  readonly socket: DatagramSocket;
  /** Where its sound goes. */
  port: number;
  received: number;
  /** When its packets came. */
  gapsMs: number[];
  lastMs: number | null;
}

const HOST = '127.0.0.1';
const open = (onDatagram: OnDatagram) => udpNetwork.bind({ host: HOST, port: 0 }, onDatagram);

export async function openCallers(clock: Clock, count: number): Promise<Caller[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const heard = { port: 0, received: 0, gapsMs: [] as number[], lastMs: null as number | null };
      const socket = await open(() => {
        const nowMs = clock.nowMs();
        if (heard.lastMs !== null) heard.gapsMs.push(nowMs - heard.lastMs);
        heard.lastMs = nowMs;
        heard.received += 1;
      });
      return Object.assign(heard, { socket });
    }),
  );
}

/**
 * Every 20 ms, each caller its next frame of the recording (G.711), spread over the wheel's slots. Returns the way to
 * stop.
 */
export function speak(clock: Clock, callers: readonly Caller[], recording: Buffer): () => void {
  const wheel = new PaceWheel(clock);
  const frames = Math.floor(recording.length / FRAME_BYTES);
  const leave = callers.map((caller, n) => {
    let sequence = 0;
    const offset = Math.floor((n * frames) / callers.length);
    return wheel.join({
      tick() {
        const packet = Buffer.alloc(HEADER_BYTES + FRAME_BYTES);
        packet[0] = 128;
        packet.writeUInt16BE(sequence & 0xffff, 2);
        packet.writeUInt32BE((sequence * FRAME_BYTES) >>> 0, 4);
        packet.writeUInt32BE(n + 1, 8);
        const at = ((sequence + offset) % frames) * FRAME_BYTES;
        recording.copy(packet, HEADER_BYTES, at, at + FRAME_BYTES);
        sequence += 1;
        caller.socket.send(packet, { host: HOST, port: caller.port });
      },
      fault: error => {
        throw error;
      },
    });
  });
  return () => {
    for (const out of leave) out();
  };
}

/** Brings the calls up, ten at a time. Resolves when each is answered. */
export async function dial(callers: readonly Caller[], sipPort: number): Promise<void> {
  const waiting = new Map<string, { readonly caller: Caller; readonly done: () => void }>();
  const server = { host: HOST, port: sipPort };
  const say = (text: string) => signalling.send(Buffer.from(text), server);
  const signalling = await open(bytes => {
    const text = bytes.toString();
    const id = /^Call-ID: (\S+)/m.exec(text)?.[1] ?? '';
    const call = waiting.get(id);
    if (!text.startsWith('SIP/2.0 200') || !call) return;
    call.caller.port = Number(/^m=audio (\d+)/m.exec(text)?.[1]);
    const to = /^To: (.*)$/m.exec(text)?.[1] ?? '';
    say(message('ACK', id, local, to, ''));
    waiting.delete(id);
    call.done();
  });
  const local = signalling.local.port;
  for (let n = 0; n < callers.length; n += 10) {
    await Promise.all(
      callers.slice(n, n + 10).map(
        (caller, i) =>
          new Promise<void>(done => {
            const id = `bench-${n + i}`;
            waiting.set(id, { caller, done });
            const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${caller.socket.local.port} RTP/AVP 0\r\n`;
            say(message('INVITE', id, local, '<sip:agent@127.0.0.1>', sdp));
          }),
      ),
    );
  }
}

function message(method: string, id: string, port: number, to: string, body: string): string {
  return [
    `${method} sip:agent@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK-${method}-${id};rport`,
    `From: <sip:bench@127.0.0.1>;tag=${id}`,
    `To: ${to}`,
    `Call-ID: ${id}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:bench@127.0.0.1:${port}>`,
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
