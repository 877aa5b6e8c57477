/** The answer to Twilio's question what to do with a call: connect it to this server, and say who calls whom. */
import type { HttpAnswer } from '../server/socket-server.ts';
import { escapedXml, xmlAnswer } from '../telephone/index.ts';

/** Of the form Twilio sends, what the agent's side may want to know. */
const PASSED_ON = ['From', 'To', 'CallerName', 'Direction'];
const MAX_CHARS = 256;

export function connectStream(streamUrl: string, form: URLSearchParams): HttpAnswer {
  const parameters = PASSED_ON.flatMap(name => {
    const value = form.get(name);
    if (value === null) return [];
    const key = name[0].toLowerCase() + name.slice(1);
    return [`<Parameter name="${key}" value="${escapedXml(value.slice(0, MAX_CHARS))}"/>`];
  });
  const stream = `<Stream url="${escapedXml(streamUrl)}">${parameters.join('')}</Stream>`;
  return xmlAnswer(`<Connect>${stream}</Connect>`);
}
