/**
 * The newest types of `openai` against this server: every event, item and session field that its declarations name, and
 * whether it is known here. Read from both sides, so that neither is written down twice.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_EVENT_TYPES, clientEventSchema } from '../../protocols/realtime/client-events.ts';
import { sessionFieldsSchema } from '../../protocols/realtime/session-fields.ts';

export const PACKAGE = 'node_modules/openai';
const REALTIME = 'protocols/realtime';
const BEGIN = '<!-- type table: written by npm run type-table -->';
const END = '<!-- end of the type table -->';

/** Why something is not here. The first that fits. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/dtmf/, 'of SIP'],
  [/item\.created/, 'of the beta shape, and told there'],
  [/segment/, 'the ear tells no speakers apart'],
];

/** Play-out is the server's there, and told of. */
const OVER_WEBRTC = 'protocols/webrtc/rtc-media.ts';

const DECLARATIONS = 'resources/realtime/realtime.d.ts';
const declarationsIn = (file: string): string => readFileSync(join(PACKAGE, file), 'utf8');

interface Declared {
  readonly indent: string;
  readonly body: string;
}

function interfaceOf(text: string, name: string): Declared {
  const short = name.split('.').at(-1);
  const found = new RegExp(`^( *)(?:export )?interface ${short} \\{$([\\s\\S]*?)^\\1\\}$`, 'm').exec(text);
  if (!found) throw new Error(`openai declares no interface ${name}`);
  return { indent: found[1], body: found[2] };
}

/** The `type` of each member of a union. */
export function typesOf(union: string, file = DECLARATIONS): string[] {
  const text = declarationsIn(file);
  const members = new RegExp(`^export type ${union} = (.*);$`, 'm').exec(text)![1].split(' | ');
  // Others are declared in another file.
  const own = members.filter(member => !member.startsWith('LiveAPI.'));
  return own.map(member => {
    const { indent, body } = interfaceOf(text, member);
    return new RegExp(`^${indent}    type: '([^']+)';`, 'm').exec(body)?.[1] ?? member;
  });
}

export function fieldsOf(name: string, file = DECLARATIONS): string[] {
  const { indent, body } = interfaceOf(declarationsIn(file), name);
  return [...body.matchAll(new RegExp(`^${indent}    ([a-z_]+)\\??: `, 'gm'))].map(([, field]) => field);
}

/** Event names that this server's own code holds, its schema of client events aside. */
function told(): string {
  const files = readdirSync(REALTIME).filter(name => name.endsWith('.ts') && name !== 'client-events.ts');
  const paths = [...files.map(name => join(REALTIME, name)), OVER_WEBRTC];
  return paths.map(path => readFileSync(path, 'utf8')).join('\n');
}

function itemTypes(): Set<string> {
  const text = readFileSync(join(REALTIME, 'client-events.ts'), 'utf8');
  return new Set([...text.matchAll(/'([a-z_]+)'/g)].map(([, name]) => name));
}

function row(kind: string, name: string, isKnown: boolean): string {
  const reason = REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? 'not served';
  return `| ${kind} | \`${name}\` | ${isKnown ? 'yes' : `no: ${reason}`} |`;
}

export function typeTable(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  const source = told();
  const items = itemTypes();
  const sessionFields = new Set(Object.keys(sessionFieldsSchema.shape));
  const unique = (names: readonly string[]) => [...new Set(names)].sort();
  const rows = [
    ...unique(typesOf('RealtimeClientEvent')).map(name =>
      row('client event', name, CLIENT_EVENT_TYPES.has(name)),
    ),
    ...unique(typesOf('RealtimeServerEvent')).map(name =>
      row('server event', name, source.includes(`'${name}'`)),
    ),
    ...unique(typesOf('ConversationItem')).map(name => row('item', name, items.has(name))),
    ...fieldsOf('RealtimeSessionCreateRequest').map(name =>
      row('session field', name, sessionFields.has(name)),
    ),
  ];
  const own = clientEventSchema.options.length - typesOf('RealtimeClientEvent').length;
  return [
    `\`openai\` ${version} declares ${rows.length} names; ${rows.filter(text => text.includes('| yes |')).length} are known here (and ${own} client events of our own).`,
    '',
    '| kind | name | here |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** The README with its table as it should be. */
export function withTable(readme: string, table = typeTable()): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error('The README has no place for the table.');
  return `${readme.slice(0, from + BEGIN.length)}\n\n${table}\n\n${readme.slice(to)}`;
}
