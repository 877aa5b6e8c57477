/** The answer to Twilio's question what to do with a call: connect it to this server, and say who calls whom. */
import type { HttpAnswer } from '../server/socket-server.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const escaped = (text: string) => text.replaceAll(/[&<>"']/g, sign => ESCAPES[sign]);
/** Of the form Twilio sends, what the agent's side may want to know. */
const PASSED_ON = ['From', 'To', 'CallerName', 'Direction'];
const MAX_CHARS = 256;

export function connectStream(streamUrl: string, form: URLSearchParams): HttpAnswer {
  const parameters = PASSED_ON.flatMap(name => {
    const value = form.get(name);
    if (value === null) return [];
    const key = name[0].toLowerCase() + name.slice(1);
    return [`<Parameter name="${key}" value="${escaped(value.slice(0, MAX_CHARS))}"/>`];
  });
  const stream = `<Stream url="${escaped(streamUrl)}">${parameters.join('')}</Stream>`;
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Connect>${stream}</Connect></Response>\n`;
  return {
    status: 200,
    headers: { 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store' },
    body,
  };
}
