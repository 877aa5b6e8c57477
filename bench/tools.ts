/**
 * What speculation saves where the answer needs a tool: from the end of the caller's speech to the first sound of the
 * answer with the tool's result in it, and how many calls were made for nothing. Scripted engine, an effect-free tool
 * of 300 ms; three turns in ten have a second thought (a pause of 400 ms, then 500 ms more). Simulated (virtual clock)
 * and live (this machine's, all sessions at once), in one table: `npm run bench -- tools`.
 */
import { Command } from 'commander';
import {
  type Clock,
  createRandom,
  engineOnClock,
  type Random,
  RealClock,
  VirtualClock,
} from '../actors/core/index.ts';
import { createRuntime, defineTool, type Runtime, type SessionSettings } from '../actors/index.ts';
import { callSegment, TOOL_TEMPLATE } from '../test/support/tool-calls.ts';
import { zeroLatencyEngine } from '../test/support/zero-latency-engine.ts';

const TOOL_MS = 300;
const PACKET_MS = 20;
const SPEECH_MS = 600;
const [PAUSE_SHARE, PAUSE_MS, MORE_MS] = [0.3, 400, 500];
const REST_MS = 3000;

interface Options {
  readonly sessions: number;
  readonly turns: number;
  readonly json: boolean;
}

const number = (text: string) => Number.parseInt(text, 10);
const options = new Command('tools')
  .option('--sessions <n>', 'conversations', number, 20)
  .option('--turns <n>', 'turns of each', number, 10)
  .option('--json', 'print the rows as JSON', false)
  .parse()
  .opts<Options>();

interface Row {
  readonly where: 'simulated' | 'live';
  readonly speculation: boolean;
  readonly n: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly callsForNothing: number;
}

const detector = () => ({ frame: (samples: Float32Array) => (Math.abs(samples[0]) > 0.01 ? 1 : 0) });
const packet = (speaks: boolean) => new Float32Array(PACKET_MS * 16).fill(speaks ? 0.1 : 0);

/** A person who asks, now and then with a second thought, and waits for the answer. */
async function converse(
  runtime: Runtime,
  clock: Clock,
  speculates: boolean,
  random: Random,
): Promise<number[]> {
  const turnDetection: SessionSettings['turnDetection'] = {
    ...{ mode: 'vad', threshold: 0.5, prefixPaddingMs: 0, endpointSilenceMs: 650 },
    ...{ speculateSilenceMs: speculates ? 200 : 650, createResponse: true, interruptResponse: true },
  };
  const session = runtime.openSession({ turnDetection });
  const delays: number[] = [];
  let [spokeAtMs, words] = [0, ''];
  session.events$.subscribe(event => {
    if (event.type === 'response.created') words = '';
    if (event.type === 'response.text') words += event.delta;
    if (event.type === 'response.audio' && words.startsWith('It is') && spokeAtMs > 0) {
      delays.push(clock.nowMs() - spokeAtMs);
      spokeAtMs = 0;
    }
  });
  const push = async (speaks: boolean, ms: number) => {
    for (let at = 0; at < ms; at += PACKET_MS) {
      await pass(clock, PACKET_MS);
      session.send({ type: 'audio', samples: packet(speaks) });
    }
    if (speaks) spokeAtMs = clock.nowMs();
  };
  for (let turn = 0; turn < options.turns; turn++) {
    await push(true, SPEECH_MS);
    if (random.next() < PAUSE_SHARE) {
      await push(false, PAUSE_MS);
      await push(true, MORE_MS);
    }
    await push(false, REST_MS);
  }
  session.close('done');
  return delays;
}

function pass(clock: Clock, ms: number): Promise<unknown> {
  if (clock instanceof VirtualClock) return clock.runFor(ms);
  return new Promise<void>(resolve => void clock.setTimer(ms, resolve));
}

async function measure(where: Row['where'], speculation: boolean): Promise<Row> {
  const clock = where === 'live' ? new RealClock() : new VirtualClock();
  let [runs, answered] = [0, 0];
  const look = defineTool({
    ...{ name: 'look', effect: 'none' },
    run: () => {
      runs += 1;
      return new Promise(resolve => void clock.setTimer(TOOL_MS, () => resolve('7')));
    },
  });
  const replies = [[callSegment(['look'])], [{ text: 'It is seven.', frames: 10 }]];
  const engine = engineOnClock(
    zeroLatencyEngine({ replies, toolTemplate: TOOL_TEMPLATE, maxPositions: 1 << 20 }),
    clock,
  );
  const shared = { engine, clock, random: createRandom(1), voiceActivityDetector: detector, tools: [look] };
  const runtime = createRuntime({ ...shared, limits: { maxSessions: options.sessions } });
  const talks = Array.from(
    { length: options.sessions },
    (_, i) => () => converse(runtime, clock, speculation, createRandom(i)),
  );
  const delays: number[] = [];
  if (where === 'live') delays.push(...(await Promise.all(talks.map(talk => talk()))).flat());
  else for (const talk of talks) delays.push(...(await talk()));
  await runtime.close();
  answered = delays.length;
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]);
  return {
    where,
    speculation,
    n: answered,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    callsForNothing: (runs - answered) / runs,
  };
}

const rows: Row[] = [];
for (const where of ['simulated', 'live'] as const)
  for (const speculation of [false, true]) rows.push(await measure(where, speculation));
if (options.json) console.log(JSON.stringify(rows));
else {
  console.log('| | speculation | n | p50 | p95 | calls for nothing |\n|---|---|---|---|---|---|');
  for (const { where, speculation, n, p50Ms, p95Ms, callsForNothing } of rows)
    console.log(
      `| ${where} | ${speculation ? 'on' : 'off'} | ${n} | ${p50Ms} ms | ${p95Ms} ms | ${(100 * callsForNothing).toFixed(0)} % |`,
    );
}
