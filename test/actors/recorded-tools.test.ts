/** What a recording holds of tools that ran in the process: that the model was told of them, and not what they do (docs/tools.md). */
import { describe, expect, it } from 'vitest';
import { defineTool } from '../../actors/index.ts';
import { recordedEvents } from '../../actors/recording/index.ts';
import { packCommand, unpackCommand } from '../../actors/recording/samples.ts';
import type { SessionCommand, Tool } from '../../actors/session-api.ts';
import { RecordingRig } from '../support/recording-rig.ts';
import { addItem, createResponse } from '../support/told.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';

const look = defineTool({ name: 'look', description: 'Looks.', effect: 'none', run: () => 'there it is' });
const CONTEXT = { key: 'k', callId: 'c', sessionId: 's', signal: new AbortController().signal };

describe('tools of a recorded session', () => {
  it.each([
    ['settings', { type: 'settings.update', settings: { tools: [look, { name: 'theirs' }] } }],
    ['one response', { type: 'response.create', options: { tools: [look, { name: 'theirs' }] } }],
  ] as const)('are data in %s, and give nothing when they are read again', (_where, command) => {
    const packed = packCommand(command as SessionCommand);
    const copy = structuredClone(packed) as SessionCommand;
    const { tools } = toolsOf(unpackCommand(copy));
    expect(tools[1]).toEqual({ name: 'theirs' });
    expect(tools[0]).toMatchObject({ name: 'look', description: 'Looks.', effect: 'none' });
    expect(() => (tools[0] as Tool).run({}, CONTEXT)).toThrow('does not hold its tools');
  });

  it('run while it is recorded, and are told of again in a replay, where the call fails', async () => {
    const rig = new RecordingRig({
      ...{ toolTemplate: TOOL_TEMPLATE },
      replies: [[callSegment(['look'])], [{ text: 'It is there.', frames: 0 }]],
    });
    const session = rig.runtime.openSession({ outputModality: 'text', tools: [look] }, { id: 'caller' });
    addItem(session, { role: 'user', content: [{ type: 'text', text: 'Look.' }] });
    createResponse(session);
    await rig.clock.virtual.runFor(2000);
    session.close('over');
    await rig.clock.virtual.runFor(200);
    const outputs = (events: Iterable<{ readonly json: string }>) =>
      [...events].flatMap(({ json }) => {
        const { type, item } = JSON.parse(json);
        return type === 'item.done' && item.content[0].type === 'call' ? [item.content[0].output] : [];
      });
    expect(outputs(recordedEvents(rig.recording()))).toEqual(['there it is']);
    const { divergence, events } = await rig.replay();
    expect(divergence).not.toBeNull();
    expect(outputs(events)).toEqual(['{"error":"A recording does not hold its tools."}']);
  });

  it('may be those of the session’s options too', async () => {
    const rig = new RecordingRig({
      ...{ toolTemplate: TOOL_TEMPLATE },
      replies: [[callSegment(['look'])], [{ text: 'It is there.', frames: 0 }]],
    });
    const session = rig.runtime.openSession({ outputModality: 'text' }, { id: 'caller', tools: [look] });
    addItem(session, { role: 'user', content: [{ type: 'text', text: 'Look.' }] });
    createResponse(session);
    await rig.clock.virtual.runFor(2000);
    const calls = session.items.flatMap(({ content: [part] }) =>
      part?.type === 'call' ? [part.output] : [],
    );
    expect(calls).toEqual(['there it is']);
  });
});

function toolsOf(command: SessionCommand) {
  if (command.type === 'settings.update') return { tools: command.settings.tools! };
  if (command.type === 'response.create') return { tools: command.options!.tools! };
  throw new Error(command.type);
}
