import { type ClientOptions, WebSocket } from 'ws';
import { RuntimeError } from '../../kernels/errors.ts';
import { shownAddress } from './address.ts';

const HANDSHAKE_TIMEOUT_MS = 15_000;
const MAX_FRAME_BYTES = 32 << 20;
/** What a server has not taken by then it will not take in time. */
const MAX_UNSENT_BYTES = 4 << 20;
const MAX_REFUSAL_BYTES = 4096;

/** One event of the protocol; `type` says which. */
export interface WireEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The wire to a server of the OpenAI Realtime protocol: one JSON object a frame, both ways. */
export class CallingLine {
  readonly #socket: WebSocket;
  readonly #address: string;
  #failure: RuntimeError | null = null;
  #isHungUp = false;

  /**
   * @param key never shown
   * @throws RuntimeError `call.unreachable`, `call.refused`
   */
  static async open(
    url: URL,
    key: string | undefined,
    onEvent: (event: WireEvent) => void,
  ): Promise<CallingLine> {
    const headers = key ? { authorization: `Bearer ${key}` } : undefined;
    const options: ClientOptions = {
      headers,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    };
    const socket = new WebSocket(url, options);
    const line = new CallingLine(socket, shownAddress(url), onEvent);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', async (_request, response) => {
        const body = await beginningOf(response);
        socket.on('error', () => {});
        socket.terminate();
        reject(refused(line.#address, response.statusCode ?? 0, withoutKey(body, key), key !== undefined));
      });
      socket.once('error', error => reject(unreachable(line.#address, error)));
    });
    return line;
  }

  private constructor(socket: WebSocket, address: string, onEvent: (event: WireEvent) => void) {
    this.#socket = socket;
    this.#address = address;
    socket.on('message', data => {
      const event = parsed(String(data));
      if (event) onEvent(event);
      else this.#fail('call.protocol', 'The server speaks another protocol.', {});
    });
    socket.on('error', error => this.#fail('call.lost', 'The line was lost.', { cause: error.message }));
    socket.on('close', (code, reason) => {
      if (!this.#isHungUp)
        this.#fail('call.lost', 'The server ended the call.', { code, reason: String(reason) });
    });
  }

  /** Why the line is down, null while it stands. */
  get failure(): RuntimeError | null {
    return this.#failure;
  }

  send(event: WireEvent): void {
    if (this.#failure || this.#isHungUp) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#fail('call.slow', 'The server does not take what is said.', {
        bytes: this.#socket.bufferedAmount,
      });
      return;
    }
    this.#socket.send(JSON.stringify(event));
  }

  hangUp(): void {
    if (this.#isHungUp) return;
    this.#isHungUp = true;
    this.#socket.close(1000);
  }

  #fail(code: string, message: string, values: Record<string, unknown>): void {
    this.#failure ??= new RuntimeError(code, message, { address: this.#address, ...values });
    this.#socket.terminate();
  }
}

function parsed(text: string): WireEvent | null {
  try {
    const event = JSON.parse(text);
    return typeof event?.type === 'string' ? event : null;
  } catch {
    return null;
  }
}

async function beginningOf(response: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  try {
    for await (const piece of response) {
      text += piece.toString('utf8');
      if (text.length > MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // What came is enough.
  }
  return text;
}

/** Some servers repeat what they were given. */
function withoutKey(text: string, key: string | undefined): string {
  return key ? text.replaceAll(key, '(not shown)') : text;
}

function refused(address: string, status: number, body: string, hasKey: boolean): RuntimeError {
  const values = { address, status, reason: reasonIn(body) };
  if (status === 401 || status === 403) {
    const remedy = hasKey ? 'Check the key in LONGCAT_RT_KEY.' : 'Put its key into LONGCAT_RT_KEY.';
    return new RuntimeError('call.refused', 'The server does not let this caller in.', values, remedy);
  }
  const remedy =
    status === 503
      ? 'Try again later.'
      : 'Check the address; the protocol is at /v1/realtime with longcat-rt.';
  return new RuntimeError('call.refused', 'The server does not take the call.', values, remedy);
}

function reasonIn(body: string): string | undefined {
  try {
    const message = JSON.parse(body)?.error?.message;
    return typeof message === 'string' ? message : undefined;
  } catch {
    return body.trim().split('\n')[0].slice(0, 200) || undefined;
  }
}

function unreachable(address: string, error: NodeJS.ErrnoException): RuntimeError {
  const cause = error.message || error.code;
  const isCertificate = /CERT|SELF_SIGNED|self.signed|certificate/.test(`${error.code} ${error.message}`);
  const remedy = isCertificate
    ? 'If the certificate is your own: NODE_EXTRA_CA_CERTS=cert.pem longcat-rt call …'
    : 'Start a server with longcat-rt serve, or check the address.';
  return new RuntimeError('call.unreachable', 'The server cannot be reached.', { address, cause }, remedy);
}
