/**
 * A handle on a plugin of a Janus server, over its WebSocket: requests and what comes of them, events, and a session
 * that is kept open. Janus ends a session of which it hears nothing for a minute.
 */
import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import type { Clock, Timer } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const SUBPROTOCOL = 'janus-protocol';
const ANSWER_WITHIN_MS = 10_000;
const KEEP_ALIVE_MS = 25_000;
const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface Jsep {
  readonly type: 'offer' | 'answer';
  readonly sdp: string;
}

export interface JanusMessage {
  readonly janus: string;
  readonly transaction?: string;
  readonly data?: { readonly id: number };
  readonly error?: { readonly code: number; readonly reason: string };
  readonly plugindata?: { readonly data: Readonly<Record<string, unknown>> };
  readonly jsep?: Jsep;
}

export interface JanusListener {
  /** What a plugin tells unasked, and what becomes of the media (`webrtcup`, `hangup`). */
  onEvent(message: JanusMessage): void;
  onClosed(reason: string): void;
}

interface UnansweredRequest {
  readonly timer: Timer;
  resolve(message: JanusMessage): void;
  reject(error: Error): void;
}

export class JanusHandle {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #listener: JanusListener;
  readonly #waiting = new Map<string, UnansweredRequest>();
  #sessionId: number | null = null;
  #handleId: number | null = null;
  #keepAlive: Timer | null = null;
  #closed = false;

  /** Error `join.janus` with what Janus says, or with why it is not reached. */
  static async open(
    url: string,
    plugin: string,
    clock: Clock,
    listener: JanusListener,
  ): Promise<JanusHandle> {
    const socket = new WebSocket(url, SUBPROTOCOL, { maxPayload: MAX_MESSAGE_BYTES });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', error => reject(failed(error.message, { url })));
    });
    const handle = new JanusHandle(socket, clock, listener);
    handle.#sessionId = (await handle.#ask({ janus: 'create' })).data!.id;
    handle.#handleId = (await handle.#ask({ janus: 'attach', plugin })).data!.id;
    return handle;
  }

  private constructor(socket: WebSocket, clock: Clock, listener: JanusListener) {
    this.#socket = socket;
    this.#clock = clock;
    this.#listener = listener;
    socket.on('message', data => this.#message(String(data)));
    socket.on('error', () => {});
    socket.on('close', () => this.#over('the line to Janus was closed'));
    this.#keepAlive = clock.setTimer(KEEP_ALIVE_MS, () => this.#stay());
  }

  /** What the plugin says to a request of its own. */
  async message(body: object, jsep?: Jsep): Promise<JanusMessage> {
    return await this.#ask({ janus: 'message', body, ...(jsep && { jsep }) });
  }

  close(): void {
    if (this.#closed) return;
    this.#send({ janus: 'destroy', transaction: randomUUID() });
    this.#closed = true;
    this.#keepAlive?.cancel();
    this.#giveUp('closed');
    this.#socket.close();
  }

  #ask(request: object): Promise<JanusMessage> {
    const transaction = randomUUID();
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#waiting.delete(transaction);
        reject(failed(`no answer within ${ANSWER_WITHIN_MS / 1000} s`, request));
      };
      this.#waiting.set(transaction, {
        resolve,
        reject,
        timer: this.#clock.setTimer(ANSWER_WITHIN_MS, late),
      });
      this.#send({ ...request, transaction });
    });
  }

  #send(request: object): void {
    const session = this.#sessionId === null ? {} : { session_id: this.#sessionId };
    const handle = this.#handleId === null ? {} : { handle_id: this.#handleId };
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ ...request, ...session, ...handle }));
  }

  #stay(): void {
    if (this.#closed) return;
    this.#send({ janus: 'keepalive', transaction: randomUUID() });
    this.#keepAlive = this.#clock.setTimer(KEEP_ALIVE_MS, () => this.#stay());
  }

  #message(text: string): void {
    const message = JSON.parse(text) as JanusMessage;
    const waiting = message.transaction === undefined ? undefined : this.#waiting.get(message.transaction);
    if (!waiting) {
      if (message.janus === 'timeout') this.#over('Janus ended the session');
      else this.#listener.onEvent(message);
      return;
    }
    // Of what a plugin does later it first says that it heard it.
    if (message.janus === 'ack') return;
    this.#waiting.delete(message.transaction!);
    waiting.timer.cancel();
    const said = message.plugindata?.data;
    const why = message.error?.reason ?? (said?.error as string | undefined);
    if (why === undefined) waiting.resolve(message);
    else waiting.reject(failed(why, { code: message.error?.code ?? said?.error_code }));
  }

  #over(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAlive?.cancel();
    this.#giveUp(reason);
    this.#socket.close();
    this.#listener.onClosed(reason);
  }

  #giveUp(reason: string): void {
    for (const { timer, reject } of this.#waiting.values()) {
      timer.cancel();
      reject(failed(reason, {}));
    }
    this.#waiting.clear();
  }
}

function failed(why: string, values: object): RuntimeError {
  return new RuntimeError(
    'join.janus',
    'The room of the Janus server cannot be joined.',
    { why, ...values },
    'Check the address of its WebSocket, the room, and its pin.',
  );
}
