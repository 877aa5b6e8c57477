/** The server's HTTP: connections that stay open, one for each reply that runs; every wait has its bound. */
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as httpsRequest } from 'node:https';
import { refused } from './errors.ts';

export interface SglangTimers {
  nowMs(): number;
  setTimer(delayMs: number, action: () => void): { cancel(): void };
}

export interface StreamListener {
  /** The last byte of the request was taken; so many there were. */
  sent(bytes: number): void;
  data(bytes: Uint8Array): void;
  ended(): void;
  /** Once, and nothing after it. */
  failed(error: Error): void;
}

/** Of an error's body. */
const MOST_SAID = 2000;
const JSON_HEADERS = { 'content-type': 'application/json' };

export class SglangHttp {
  readonly #address: string;
  readonly #timers: SglangTimers;
  readonly #agent: Agent;
  readonly #asked = new Set<Promise<number>>();

  /** @param address `http://HOST:PORT` or `https://HOST:PORT` */
  constructor(address: string, timers: SglangTimers) {
    this.#address = address.replace(/\/$/, '');
    this.#timers = timers;
    this.#agent = address.startsWith('https:')
      ? new SecureAgent({ keepAlive: true })
      : new Agent({ keepAlive: true });
  }

  /** The status of a short request. @throws (rejects) where there is none within `timeoutMs` */
  ask(method: 'GET' | 'POST', path: string, timeoutMs: number, body?: unknown): Promise<number> {
    const asked = this.#ask(method, path, timeoutMs, body).finally(() => this.#asked.delete(asked));
    this.#asked.add(asked);
    return asked;
  }

  #ask(method: string, path: string, timeoutMs: number, body: unknown): Promise<number> {
    return new Promise((resolve, reject) => {
      const request = this.#request(method, path);
      const timer = this.#timers.setTimer(timeoutMs, () => {
        request.destroy(new Error(`no answer within ${timeoutMs} ms`));
      });
      request.on('response', response => {
        timer.cancel();
        response.on('error', () => {}).resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', error => {
        timer.cancel();
        reject(error);
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /**
   * Sends the pieces as fast as they are taken, and hears what comes. Returns how to break off.
   *
   * @param traceparent of the turn that it is for (W3C trace context)
   */
  stream(
    path: string,
    pieces: Iterator<string | Uint8Array>,
    listener: StreamListener,
    traceparent?: string,
  ): () => void {
    const request = this.#request('POST', path, traceparent === undefined ? {} : { traceparent });
    let isOver = false;
    const over = (tell: () => void) => {
      if (isOver) return;
      isOver = true;
      tell();
      request.destroy();
    };
    const failed = (error: Error) => over(() => listener.failed(error));
    request.on('error', failed);
    request.on('close', () => failed(new Error('the connection was closed')));
    request.on('response', response => {
      if (response.statusCode !== 200) hearRefusal(response, failed);
      else
        hearAnswer(
          response,
          bytes => !isOver && listener.data(bytes),
          failed,
          () => over(() => listener.ended()),
        );
    });
    this.#send(request, pieces, failed, bytes => !isOver && listener.sent(bytes));
    return () => over(() => {});
  }

  /** After what was asked last is answered: aborts above all. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#asked);
    this.#agent.destroy();
  }

  #request(method: string, path: string, more: Readonly<Record<string, string>> = {}): ClientRequest {
    const start = this.#address.startsWith('https:') ? httpsRequest : httpRequest;
    const headers = { ...(method === 'POST' && JSON_HEADERS), ...more };
    const options = { method, agent: this.#agent, headers };
    return start(`${this.#address}${path}`, options);
  }

  #send(
    request: ClientRequest,
    pieces: Iterator<string | Uint8Array>,
    failed: (error: Error) => void,
    sent: (bytes: number) => void,
  ): void {
    let bytes = 0;
    request.on('finish', () => sent(bytes));
    const pump = () => {
      try {
        while (!request.destroyed) {
          const { value, done } = pieces.next();
          if (done) return void request.end();
          bytes += value.length;
          if (!request.write(value)) return void request.once('drain', pump);
        }
      } catch (error) {
        failed(error as Error);
      }
    };
    pump();
  }
}

function hearAnswer(
  response: IncomingMessage,
  data: (bytes: Uint8Array) => void,
  failed: (error: Error) => void,
  ended: () => void,
): void {
  response.on('data', data);
  response.on('error', failed);
  response.on('aborted', () => failed(new Error('the connection was cut')));
  response.on('end', ended);
}

function hearRefusal(response: IncomingMessage, failed: (error: Error) => void): void {
  let said = '';
  const done = () => failed(refused(response.statusCode ?? 0, said));
  response.on('data', (bytes: Buffer) => {
    said += bytes.toString().slice(0, MOST_SAID - said.length);
    if (said.length >= MOST_SAID) done();
  });
  response.on('error', done);
  response.on('end', done);
}
