/** Many telephones in one process: they call, say a recording over and over, each from elsewhere in it, and hear. */
import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../../actors/core/clock.ts';
import { PaceWheel } from '../../protocols/rtp/index.ts';

const FRAME_BYTES = 160;
const HEADER_BYTES = 12;

export interface Caller {
  readonly socket: Socket;
  /** Where its sound goes. */
  port: number;
  received: number;
  /** When its packets came. */
  gapsMs: number[];
  lastMs: number | null;
}

function open(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  return new Promise(resolve => socket.bind(0, '127.0.0.1', () => resolve(socket)));
}

export async function openCallers(clock: Clock, count: number): Promise<Caller[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const caller: Caller = { socket: await open(), port: 0, received: 0, gapsMs: [], lastMs: null };
      caller.socket.on('message', () => {
        const nowMs = clock.nowMs();
        if (caller.lastMs !== null) caller.gapsMs.push(nowMs - caller.lastMs);
        caller.lastMs = nowMs;
        caller.received += 1;
      });
      return caller;
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
        caller.socket.send(packet, caller.port, '127.0.0.1');
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
  const signalling = await open();
  const waiting = new Map<string, { readonly caller: Caller; readonly done: () => void }>();
  const local = signalling.address().port;
  signalling.on('message', bytes => {
    const text = bytes.toString();
    const id = /^Call-ID: (\S+)/m.exec(text)?.[1] ?? '';
    const call = waiting.get(id);
    if (!text.startsWith('SIP/2.0 200') || !call) return;
    call.caller.port = Number(/^m=audio (\d+)/m.exec(text)?.[1]);
    const to = /^To: (.*)$/m.exec(text)?.[1] ?? '';
    signalling.send(message('ACK', id, local, to, ''), sipPort, '127.0.0.1');
    waiting.delete(id);
    call.done();
  });
  for (let n = 0; n < callers.length; n += 10) {
    await Promise.all(
      callers.slice(n, n + 10).map(
        (caller, i) =>
          new Promise<void>(done => {
            const id = `bench-${n + i}`;
            waiting.set(id, { caller, done });
            const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${caller.socket.address().port} RTP/AVP 0\r\n`;
            signalling.send(message('INVITE', id, local, '<sip:agent@127.0.0.1>', sdp), sipPort, '127.0.0.1');
          }),
      ),
    );
  }
  signalling.unref();
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
