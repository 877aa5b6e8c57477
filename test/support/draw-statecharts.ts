/** Draws the machines of turn-taking as they run into docs/statecharts.md: `npm run statecharts`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { AnyStateMachine, StateNode } from 'xstate';
import {
  bargeInMachine,
  callMachine,
  replyMachine,
  turnTakingMachine,
} from '../../actors/turn-taking/index.ts';

export const DRAWN = new URL('../../docs/statecharts.md', import.meta.url);

const CHARTS: readonly {
  readonly machine: AnyStateMachine;
  readonly file: string;
  readonly about: string;
}[] = [
  {
    machine: turnTakingMachine,
    file: 'actors/turn-taking/machine.ts',
    about: 'Who has the floor. One of a session; it sees edges, never frames.',
  },
  {
    machine: bargeInMachine,
    file: 'actors/turn-taking/barge-in-machine.ts',
    about:
      'A sound while the agent is ducked, until it is decided whether it takes the turn. One of a session.',
  },
  {
    machine: replyMachine,
    file: 'actors/turn-taking/reply-machine.ts',
    about: 'The life of one reply.',
  },
  {
    machine: callMachine,
    file: 'actors/turn-taking/call-machine.ts',
    about: 'The life of one call of a tool that runs in this process.',
  },
];

export function drawStatecharts(): string {
  const parts = CHARTS.map(({ machine, file, about }) => {
    const lines = ['stateDiagram-v2', ...drawn(machine.root, 1)];
    const anywhere = labelsOf(machine.root).map(
      ({ label }) => `\nIn any state that does not say otherwise: *${label}*.\n`,
    );
    const drawing = `\`\`\`mermaid\n${lines.join('\n')}\n\`\`\`\n`;
    return `## ${machine.id}\n\n${about} \`${file}\`\n\n${drawing}${anywhere.join('')}`;
  });
  return [
    '# The machines of turn-taking\n',
    'Drawn from the code by `npm run statecharts`; a test holds them to it. An arrow says *event [guard] / actions*.\n',
    ...parts,
  ].join('\n');
}

/** A state's children and what leads from each of them. */
function drawn(node: StateNode, depth: number): string[] {
  const indent = '    '.repeat(depth);
  const lines: string[] = [];
  const children = Object.values(node.states) as StateNode[];
  const { initial } = node;
  if (node.type === 'compound') {
    const first = initial.target?.[0];
    if (first) lines.push(`${indent}[*] --> ${nameOf(first)}`);
  }
  children.forEach((child, i) => {
    if (node.type === 'parallel' && i > 0) lines.push(`${indent}--`);
    if (Object.keys(child.states).length > 0) {
      lines.push(`${indent}state ${nameOf(child)} {`, ...drawn(child, depth + 1), `${indent}}`);
    } else lines.push(`${indent}${nameOf(child)}`);
  });
  for (const child of children) lines.push(...arrowsOf(child, indent));
  return lines;
}

const arrowsOf = (node: StateNode, indent: string): string[] =>
  labelsOf(node).map(({ label, to }) => `${indent}${nameOf(node)} --> ${nameOf(to)}: ${label}`);

/** What leads out of a state by itself. */
function labelsOf(node: StateNode): { readonly label: string; readonly to: StateNode }[] {
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  return transitions.map(({ actions, eventType, guard, target }) => {
    const when = guard ? ` [${typeof guard === 'string' ? guard : (guard as { type: string }).type}]` : '';
    const what = actions.map(action => (action as { type?: string }).type ?? String(action)).join(', ');
    const after = eventType.startsWith('xstate.after') ? 'after a while' : eventType;
    const event = eventType === '' ? 'at once' : after;
    return { label: `${event}${when}${what ? ` / ${what}` : ''}`, to: target?.[0] ?? node };
  });
}

/** Unique within the machine. */
const nameOf = (node: StateNode): string => node.key;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  new Command('npm run statecharts').description('Draws docs/statecharts.md from the machines.').parse();
  writeFileSync(DRAWN, drawStatecharts());
}
