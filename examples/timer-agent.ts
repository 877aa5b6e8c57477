/**
 * An agent that acts: `npx tsx examples/timer-agent.ts question.wav` (16 kHz mono, 16 bit; "count to ten") starts a
 * timer of ten seconds. nano hears and takes turns; as it was not taught this tool, the rule below thinks in its place,
 * and calls as a LongCat model does: in its tokens. The runtime reads the call, runs it once the caller has finished,
 * and tells the model what came of it.
 */
import { readFileSync } from 'node:fs';
import {
  createEngine,
  createRandom,
  createRuntime,
  defineTool,
  type Engine,
  engineOnClock,
  fastestEngine,
  NANO_DIRECTORY,
  VirtualClock,
} from 'longcat-rt';

const TEMPLATE = {
  tools: { turn: 'SYSTEM:{}</longcat_s>\n', heading: 'TOOLS:', list: 'json', tool: '{name}({parameters})' },
  call: {
    call: '<longcat_tool_call>{name}\n{arguments}</longcat_tool_call>',
    argument: '<longcat_arg_key>{key}</longcat_arg_key><longcat_arg_value>{value}</longcat_arg_value>',
  },
  result: 'TOOL:{}\n',
} as const;
const NUMBERS = 'zero one two three four five six seven eight nine ten'.split(' ');

/** What the model says next, from what it has read since its last reply and the words that were heard. */
function think(read: string, heard: string): string {
  const result = /TOOL:(.*)\n/.exec(read)?.[1];
  if (result) return `The timer says: ${result}`;
  const seconds = NUMBERS.findLastIndex(word => heard.split(' ').includes(word));
  if (seconds < 0) return 'Tell me a number up to ten.';
  const argument = TEMPLATE.call.argument.replace('{key}', 'seconds').replace('{value}', `${seconds}`);
  return `One moment.${TEMPLATE.call.call.replace('{name}', 'start_timer').replace('{arguments}', argument)}`;
}

/** nano with another mind; one conversation at a time. */
function thinking(nano: Engine): Engine {
  const { model, tokenizer } = nano;
  let [heard, read, sequences, length] = ['', '', 0, 0];
  let reply: number[] = [];
  return {
    ...nano,
    model: { ...model, toolTemplate: TEMPLATE },
    audioEncoder: {
      open: () => nano.audioEncoder.open(),
      close: stream => nano.audioEncoder.close(stream),
      fork: stream => nano.audioEncoder.fork(stream),
      async step(batch) {
        const answers = await nano.audioEncoder.step(batch);
        for (const answer of answers) for (const { text } of answer?.captions ?? []) heard += ` ${text}`;
        return answers;
      },
    },
    languageModel: {
      open: () => ++sequences,
      close() {},
      truncate(_, to) {
        length = to;
      },
      async step(batch) {
        return batch.map(({ positions, sample }) => {
          length += positions.textIds.length;
          if (positions.rule !== 'decode') read += tokenizer.decode([...positions.textIds]);
          if (!sample) return { length };
          if (positions.rule !== 'decode') {
            reply = [...tokenizer.encode(think(read, heard)), model.tokens.eos];
            read = '';
          }
          return { length, sampled: { text: reply.shift() ?? model.tokens.eos, codes: [3, 3, 3, 3] } };
        });
      },
    },
  };
}

const startTimer = defineTool({
  name: 'start_timer',
  parameters: { type: 'object', properties: { seconds: { type: 'integer' } }, required: ['seconds'] },
  effect: 'world', // Never on a guess, once.
  run({ seconds }, { key }) {
    console.log(`timer ${key}: ${seconds} s`);
    return { started: true };
  },
});

const clock = new VirtualClock();
const nano = await createEngine({ ...fastestEngine(), modelDirectory: NANO_DIRECTORY });
const engine = engineOnClock(thinking(nano), clock);
const runtime = createRuntime({ engine, clock, random: createRandom(1), tools: [startTimer] });
const session = runtime.openSession({ outputModality: 'text' });
session.events$.subscribe(event => {
  if (event.type === 'item.done' && event.item.role === 'assistant')
    for (const part of event.item.content)
      if (part.type === 'call') console.log(`call ${part.name}(${part.argumentsJson}) → ${part.output}`);
      else if (part.type === 'text') console.log('agent:', part.text);
});

const wav = readFileSync(process.argv[2]);
const pcm = new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) >> 1);
for (let at = 0; at < pcm.length + 64_000; at += 320) {
  const samples = Float32Array.from({ length: 320 }, (_, i) => (pcm[at + i] ?? 0) / 32768);
  session.send({ type: 'audio', samples });
  await clock.runFor(20);
}
await runtime.close();
await engine.close();
