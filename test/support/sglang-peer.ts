/**
 * A server that speaks SGLang's HTTP as docs/spec/remote.md §1 has it and answers with our own engine: vectors in, ids
 * and codes out, the state machine on its side. How it writes its events, and what goes wrong with it, is the test's
 * choice.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type GeneratedStep,
  recordCandidate,
  startGeneration,
} from '../../kernels/components/language-model/index.ts';
import {
  ABSENT,
  CODE_PAD,
  CODEBOOKS,
  type Engine,
  type SamplingRequest,
} from '../../kernels/engine/index.ts';

export interface Writing {
  /** Lists with all there is so far, or with what is new. */
  readonly output: 'cumulative' | 'incremental';
  readonly codes: 'cumulative' | 'incremental';
  /** Ids stand behind as many of the prompt's. */
  readonly repeatsPrompt: boolean;
  /** Written for a step without text. */
  readonly filler: number;
  /** Steps of one event. */
  readonly perEvent: number;
}

/** Of one request, at the step of this number. */
export type PeerFault =
  | { readonly kind: 'status'; readonly status: number }
  | {
      readonly kind: 'cut' | 'stall' | 'nonsense' | 'miscount' | 'other' | 'early-end';
      readonly atStep: number;
    };

export interface PeerRequest {
  readonly rid: string;
  readonly positions: number;
  readonly sampling: Record<string, unknown>;
  /** Its header. */
  readonly traceparent: unknown;
  /** Steps written. */
  steps: number;
  aborted: boolean;
}

interface Body {
  readonly rid: string;
  readonly input_embeds: number[][];
  readonly sampling_params: Record<string, number>;
}

const HISTORY = 30;
export const DEFAULT_WRITING: Writing = {
  output: 'cumulative',
  codes: 'cumulative',
  repeatsPrompt: false,
  filler: ABSENT,
  perEvent: 1,
};

export class SglangPeer {
  readonly requests: PeerRequest[] = [];
  writing = DEFAULT_WRITING;
  /** One for each request that comes; none left: none. */
  readonly faults: (PeerFault | null)[] = [];
  health = 200;
  readonly #engine: Engine;
  readonly #server: Server;
  readonly #waiting: { readonly until: () => boolean; readonly go: () => void }[] = [];

  /** Listens on a port of loopback, a free one unless one is given. */
  static async start(engine: Engine, port = 0): Promise<SglangPeer> {
    const peer = new SglangPeer(engine);
    await new Promise<void>(resolve => peer.#server.listen(port, '127.0.0.1', resolve));
    return peer;
  }

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.#server = createServer(
      (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
    );
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when something was said to the peer that makes it true. */
  when(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve();
    return new Promise(go => this.#waiting.push({ until, go }));
  }

  /** As a process that is killed. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #changed(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.until()) waiting.go();
      else this.#waiting.push(waiting);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/health') return void response.writeHead(this.health).end();
    const body = JSON.parse(await textOf(request)) as Body;
    if (request.url === '/abort_request') {
      for (const each of this.requests) if (each.rid === body.rid) each.aborted = true;
      response.end();
    } else await this.#generate(body, request.headers.traceparent, response);
    this.#changed();
  }

  async #generate(
    { rid, input_embeds, sampling_params: sampling }: Body,
    traceparent: unknown,
    response: ServerResponse,
  ): Promise<void> {
    const of: PeerRequest = {
      ...{ rid, positions: input_embeds.length, sampling, traceparent },
      ...{ steps: 0, aborted: false },
    };
    this.requests.push(of);
    this.#changed();
    const fault = this.faults.shift() ?? null;
    if (fault?.kind === 'status') return void response.writeHead(fault.status).end('{"error":"so it is"}');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = new EventWriter(response, of, this.writing);
    const { languageModel, model } = this.#engine;
    const sequence = languageModel.open();
    let state = startGeneration('speech');
    const history: GeneratedStep[] = [];
    let positions = given(input_embeds, model.tokens.audioPad);
    try {
      while (!of.aborted && !response.destroyed) {
        const sample = requestOf(history, sampling);
        const [answer] = await languageModel.step([{ sequence, positions, sample }]);
        const { state: next, record } = recordCandidate(state, answer!.sampled!, model.tokens);
        state = next;
        history.push(record);
        const struck = fault && 'atStep' in fault && fault.atStep === history.length - 1 ? fault.kind : null;
        if (struck === 'stall') await this.when(() => of.aborted);
        if (struck === 'cut') return void response.destroy();
        if (struck === 'nonsense') response.write('data: {"output_ids":\n\n');
        if (struck === 'early-end') return void events.end('abort');
        const isEnd = state.phase === 'ended' || history.length === sampling.max_new_tokens;
        events.write(
          struck === 'other' ? { ...record, text: model.tokens.pad } : record,
          isEnd,
          struck === 'miscount',
        );
        this.#changed();
        if (isEnd) return;
        positions = fedBack(record);
        await new Promise(setImmediate); // An abort may have come.
      }
    } finally {
      languageModel.close(sequence);
      response.end();
    }
  }
}

class EventWriter {
  readonly #response: ServerResponse;
  readonly #of: PeerRequest;
  readonly #writing: Writing;
  readonly #steps: GeneratedStep[] = [];
  #written = 0;

  constructor(response: ServerResponse, of: PeerRequest, writing: Writing) {
    this.#response = response;
    this.#of = of;
    this.#writing = writing;
  }

  write(step: GeneratedStep, isEnd: boolean, miscounts: boolean): void {
    this.#steps.push(step);
    if (isEnd) this.end('stop');
    else if (this.#steps.length - this.#written >= this.#writing.perEvent) this.#event(null, miscounts);
  }

  end(reason: string): void {
    this.#event({ type: reason }, false);
    this.#response.write('data: [DONE]\n\n');
  }

  #event(reason: { type: string } | null, miscounts: boolean): void {
    const { output, codes, repeatsPrompt, filler } = this.#writing;
    const listed = (how: Writing['output']) => this.#steps.slice(how === 'cumulative' ? 0 : this.#written);
    const ids = listed(output).map(({ text }) => (text === ABSENT ? filler : text));
    const prompt = repeatsPrompt ? new Array<number>(this.#of.positions).fill(0) : [];
    const meta = {
      id: this.#of.rid,
      finish_reason: reason,
      prompt_tokens: this.#of.positions,
      completion_tokens: this.#steps.length + (miscounts ? 7 : 0),
      cached_tokens: 0,
    };
    const event = {
      output_ids: [...prompt, ...ids],
      meta_info: meta,
      aux_info: { audio_codes: listed(codes).map(each => each.codes) },
    };
    this.#written = this.#steps.length;
    this.#of.steps = this.#steps.length;
    this.#response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Vectors take the places of sound, whatever they stand for. */
function given(vectors: number[][], audioPad: number) {
  return {
    textIds: new Int32Array(vectors.length).fill(audioPad),
    codes: new Int32Array(vectors.length * CODEBOOKS).fill(CODE_PAD),
    features: Float32Array.from(vectors.flat()),
  };
}

function fedBack({ text, codes }: GeneratedStep) {
  const rule = 'decode' as const;
  return { textIds: Int32Array.of(text), codes: Int32Array.from(codes), features: new Float32Array(0), rule };
}

function requestOf(history: readonly GeneratedStep[], sampling: Record<string, number>): SamplingRequest {
  const last = history.slice(-HISTORY);
  const padded = (ids: readonly number[]) =>
    Int32Array.from([...new Array<number>(HISTORY - last.length).fill(ABSENT), ...ids]);
  return {
    textHistory: padded(last.map(({ text }) => text)),
    codeHistories: [0, 1, 2, 3].map(head => padded(last.map(({ codes }) => codes[head]))),
    temperature: sampling.temperature,
    topK: sampling.top_k,
    topP: sampling.top_p,
    repetitionPenalty: sampling.repetition_penalty,
    draw: 0,
    speech: true,
  };
}
