/**
 * Control messages of Asterisk's chan_websocket (docs/spec/protocols.md §5), in both of its forms: one line of `EVENT
 * key:value …`, and JSON. What came decides what goes back.
 */
import { z } from 'zod';
import { badFrame, readJson } from '../telephone/index.ts';

export type ControlForm = 'plain-text' | 'json';

export interface ControlEvent {
  readonly form: ControlForm;
  readonly event: string;
  readonly fields: Readonly<Record<string, string>>;
}

const MAX_LINE_CHARS = 4096;
const text = z.union([z.string().max(1024), z.number().transform(String)]);
const message = z
  .object({ event: z.string().max(64), channel_variables: z.record(z.string(), z.unknown()).optional() })
  .catchall(z.unknown());

export function readControl(line: string): ControlEvent {
  if (line.trimStart().startsWith('{')) {
    const { event, ...given } = readJson(message, line);
    return { form: 'json', event, fields: { ...texts(given.channel_variables ?? {}), ...texts(given) } };
  }
  if (line.length > MAX_LINE_CHARS) throw badFrame('The control line is too long.');
  const [event = '', ...rest] = line.trim().split(/\s+/);
  if (!/^[A-Z][A-Z_]*$/.test(event)) throw badFrame('The control line names no event.');
  const pairs = rest.map(word => {
    const at = word.indexOf(':');
    return at < 0 ? (['', word] as const) : ([word.slice(0, at), word.slice(at + 1)] as const);
  });
  return { form: 'plain-text', event, fields: Object.fromEntries(pairs) };
}

/** A command with one argument at most; Asterisk takes 128 bytes. */
export function writeCommand(form: ControlForm, command: string, correlationId?: string): string {
  if (form === 'plain-text') return correlationId === undefined ? command : `${command} ${correlationId}`;
  return JSON.stringify({ command, ...(correlationId !== undefined && { correlation_id: correlationId }) });
}

function texts(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const parsed = text.safeParse(value);
    if (parsed.success) found[name] = parsed.data;
  }
  return found;
}
