/** An OpenAI-compatible endpoint of the Responses API, over HTTP with a stream of server-sent events. */
import { isRecord } from '../../json/index.ts';
import type { Backend, BackendEvent } from './backend.ts';

/** Of one event, and of one whole stream. */
const MAX_EVENT_CHARS = 1 << 20;
const MAX_STREAM_CHARS = 16 << 20;
const MAX_QUOTED_CHARS = 300;

export interface ResponsesEndpoint {
  /** Up to and without `/responses`. */
  readonly url: string;
  readonly key?: string | undefined;
  /** Asked for whatever the client names. */
  readonly model?: string | undefined;
}

export function responsesEndpoint({ url, key, model }: ResponsesEndpoint): Backend {
  return {
    model,
    async *ask(request, signal) {
      const answer = await fetch(`${url.replace(/\/+$/, '')}/responses`, {
        ...{ method: 'POST', redirect: 'error', signal, body: JSON.stringify(request) },
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
      });
      if (!answer.ok || !answer.body) {
        const why = (await answer.text()).slice(0, MAX_QUOTED_CHARS);
        throw new Error(`The backend answers ${answer.status}: ${why}`);
      }
      yield* eventsOf(answer.body.pipeThrough(new TextDecoderStream()));
    },
  };
}

/** Server-sent events: lines of `data:` up to an empty line. */
async function* eventsOf(text: ReadableStream<string>): AsyncGenerator<BackendEvent> {
  let rest = '';
  let chars = 0;
  for await (const part of text) {
    chars += part.length;
    rest += part;
    const blocks = rest.split(/\r\n\r\n|\n\n/);
    rest = blocks.pop()!;
    if (rest.length > MAX_EVENT_CHARS || chars > MAX_STREAM_CHARS)
      throw new Error('The backend answers more than is read of it.');
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) yield event;
    }
  }
  const last = eventOf(rest);
  if (last) yield last;
}

/** Null: a comment, or `[DONE]`. */
function eventOf(block: string): BackendEvent | null {
  const data = block
    .split(/\r\n|\n/)
    .filter(line => line.startsWith('data:'))
    .map(line => line.slice('data:'.length).trimStart())
    .join('\n');
  if (data === '' || data === '[DONE]') return null;
  try {
    const event: unknown = JSON.parse(data);
    if (isRecord(event) && typeof event.type === 'string') return event as BackendEvent;
  } catch {
    // Said below.
  }
  throw new Error(`The backend’s stream holds what is no event: ${data.slice(0, MAX_QUOTED_CHARS)}`);
}
