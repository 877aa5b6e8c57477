/** The types of `openai`'s Live client against the GPT-Live door, as type-table.ts does it for Realtime. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_EVENT_TYPES, REFUSED_EVENTS } from '../../protocols/live/client-events.ts';
import { SERVER_EVENT_TYPES, SIDEBAND_EVENT_TYPES } from '../../protocols/live/server-events.ts';
import { sessionConfigSchema } from '../../protocols/live/session-config.ts';
import { fieldsOf, PACKAGE, typesOf } from './type-table.ts';

const LIVE = 'resources/live/live.d.ts';
const SIDEBAND = 'resources/live/sideband/sideband.d.ts';

/** Why a server event is never sent. The first that fits. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^decision/, 'there are no decisions'],
  [/^transport/, 'of telephone calls, which do not speak this protocol here'],
];

/** Fields of which one value alone is taken. */
const ONLY: Readonly<Record<string, string>> = {
  delegation:
    'yes, `client`; `responses` where the server has a backend (`responsesUrl`); `decisions` is refused',
  triggers: 'yes, `[]`; others are refused',
  store: 'yes, `false`; `true` is refused',
  client: 'yes, over WebRTC; over a WebSocket there is no channel to limit',
  audio: 'yes; `format` over a WebSocket alone',
};

export function liveTypeTable(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  const row = (kind: string, name: string, here: string) => `| ${kind} | \`${name}\` | ${here} |`;
  const sent = new Set<string>(SERVER_EVENT_TYPES);
  const aside = new Set<string>(SIDEBAND_EVENT_TYPES);
  const told = (name: string) => {
    if (sent.has(name)) return 'yes';
    if (aside.has(name)) return 'yes, on a sideband';
    return `never sent: ${REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? 'not served'}`;
  };
  const taken = (name: string) => {
    if (CLIENT_EVENT_TYPES.has(name)) return 'yes';
    return Object.hasOwn(REFUSED_EVENTS, name) ? `refused: ${REFUSED_EVENTS[name]}` : 'unknown';
  };
  const unique = (names: readonly string[]) => [...new Set(names)].sort();
  const fields = new Set(Object.keys(sessionConfigSchema.shape));
  const commands = [...typesOf('ClientEvent', LIVE), ...typesOf('ConnectClientEvent', SIDEBAND)];
  const rows = [
    ...unique(commands).map(name => row('client event', name, taken(name))),
    ...unique(typesOf('ServerEvent', LIVE)).map(name => row('server event', name, told(name))),
    ...fieldsOf('SessionConfig', LIVE).map(name =>
      row('session field', name, fields.has(name) ? (ONLY[name] ?? 'yes') : 'unknown'),
    ),
  ];
  const known = rows.filter(text => text.includes('| yes'));
  return [
    `\`openai\` ${version} declares ${rows.length} names; ${known.length} are served here, the others refused or never sent.`,
    '',
    '| kind | name | here |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}
