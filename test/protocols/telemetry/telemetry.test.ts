import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EMPTY } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { TurnTrace } from '../../../actors/index.ts';
import { RealClock, silentLogger, VirtualClock } from '../../../actors/core/index.ts';
import type { ComponentState } from '../../../kernels/engine/index.ts';
import { idsOf, traceparentOf } from '../../../kernels/trace-context.ts';
import { startHostServer } from '../../../protocols/server/host-server.ts';
import {
  HostMetrics,
  HostSpans,
  otlpExporter,
  PerfettoWriter,
  tracedRuntime,
  turnLog,
  turnSpans,
} from '../../../protocols/telemetry/index.ts';
import { SessionRig } from '../../support/session-rig.ts';
import { pushAudio } from '../../support/told.ts';

const TRACE: TurnTrace = {
  turn: 3,
  text: 'Seven.',
  userTranscript: 'what is three plus four',
  timeline: {
    speechStart: 1000,
    speechEnd: 2000,
    speculate: 2200,
    endpoint: 2400,
    firstAudio: 2500,
    end: 3100,
  },
  waterfall: {
    turn: 3,
    totalMs: 500,
    entries: [
      { cause: 'endpointing', ms: 400 },
      { cause: 'language-model', ms: 60 },
      { cause: 'play-out', ms: 40 },
    ],
  },
  interrupted: false,
  heardMs: 600,
  speculations: 1,
  rollbacks: 0,
};

class MemorySink {
  text = '';
  isClosed = false;
  readonly #maxBytes: number;

  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.text.length + bytes.length > this.#maxBytes) return false;
    this.text += new TextDecoder().decode(bytes);
    return true;
  }

  close(): void {
    this.isClosed = true;
  }

  /** As a viewer does: the bracket may be missing. */
  get events(): {
    ph: string;
    name: string;
    tid: number;
    ts: number;
    dur: number;
    args?: Record<string, unknown>;
  }[] {
    return JSON.parse(this.isClosed ? this.text : `${this.text}]`);
  }
}

describe('a turn as spans', () => {
  it('has no gap and no overlap between the last word of the user and the first sound of the agent', () => {
    const { turn, user, agent } = turnSpans('a', TRACE)!;
    expect(turn).toEqual({ name: 'turn 3', startMs: 1000, endMs: 3100 });
    expect([user!, ...agent].map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
      ['user speaks', 1000, 2000],
      ['endpointing', 2000, 2400],
      ['language-model', 2400, 2460],
      ['play-out', 2460, 2500],
      ['agent speaks', 2500, 3100],
    ]);
  });

  it('tells numbers, never words', () => {
    const spans = JSON.stringify(turnSpans('a', TRACE));
    expect(spans).not.toMatch(/seven|plus/i);
    expect(spans).toContain('"longcat.answer_delay_ms":500');
  });

  it('of which nothing is known is none', () => {
    const timeline = {
      speechStart: null,
      speechEnd: null,
      speculate: null,
      endpoint: null,
      firstAudio: null,
      end: null,
    };
    expect(turnSpans('a', { ...TRACE, timeline, waterfall: null })).toBeNull();
  });
});

describe('a trace file', () => {
  it('gives each session a line of its own, in microseconds', () => {
    const sink = new MemorySink();
    const writer = new PerfettoWriter(sink);
    writer.turn(turnSpans('a', TRACE)!);
    writer.turn(turnSpans('b', TRACE)!);
    writer.turn(turnSpans('a', { ...TRACE, turn: 4 })!);
    const named = sink.events.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [tid, args?.name]);
    expect(named).toEqual([
      [1, 'a user'],
      [2, 'a agent'],
      [3, 'b user'],
      [4, 'b agent'],
    ]);
    expect(sink.events.find(({ name }) => name === 'language-model')).toMatchObject({
      ts: 2_400_000,
      dur: 60_000,
    });
    expect(sink.events.find(({ name }) => name === 'turn 4')).toMatchObject({ tid: 2 });
    const { events } = sink;
    writer.close();
    expect(sink.events).toEqual(events); // Closed, it is JSON as it stands.
  });

  it('nests: whatever overlaps on one line lies inside', () => {
    const sink = new MemorySink();
    const writer = new PerfettoWriter(sink);
    const timeline = { ...TRACE.timeline, speechStart: 3000, speechEnd: 4000, firstAudio: 4500, end: 5000 };
    writer.turn(turnSpans('a', TRACE)!);
    writer.turn(turnSpans('a', { ...TRACE, turn: 4, timeline })!); // Begins before turn 3 has ended.
    for (const tid of [1, 2]) {
      const events = sink.events.filter(event => event.ph === 'X' && event.tid === tid);
      for (const a of events)
        for (const b of events) {
          const overlap = Math.min(a.ts + a.dur, b.ts + b.dur) - Math.max(a.ts, b.ts);
          expect(overlap <= 0 || overlap === Math.min(a.dur, b.dur), `${a.name} and ${b.name}`).toBe(true);
        }
    }
  });

  it('that is full ends with a whole turn', () => {
    const sink = new MemorySink(2000);
    const writer = new PerfettoWriter(sink);
    for (let turn = 0; turn < 50; turn++) writer.turn(turnSpans('a', { ...TRACE, turn })!);
    const turns = sink.events.filter(({ name }) => name.startsWith('turn '));
    expect(turns.length).toBeGreaterThan(0);
    expect(sink.events.filter(({ name }) => name === 'agent speaks')).toHaveLength(turns.length);
  });

  it('is made of every session of a runtime, whoever opened it', async () => {
    const sink = new MemorySink();
    const rig = new SessionRig({ replies: [[{ text: 'Yes.', frames: 5 }]] });
    const runtime = tracedRuntime(rig.runtime, { perfetto: new PerfettoWriter(sink) });
    for (const id of ['one', 'two']) {
      const session = runtime.openSession({}, { id });
      for (let i = 0; i < 200; i++) {
        pushAudio(session, new Float32Array(320).fill(i < 40 ? 0.1 : 0));
        await rig.clock.runFor(20);
      }
    }
    await runtime.close();
    expect(sink.isClosed).toBe(true);
    const namesOf = (tid: number) => sink.events.filter(event => event.tid === tid).map(({ name }) => name);
    for (const user of [1, 3]) expect(namesOf(user)).toContain('user speaks');
    for (const agent of [2, 4]) expect(namesOf(agent)).toContain('agent speaks');
  });
});

describe('an exporter of OpenTelemetry', () => {
  const cleanUp: (() => void)[] = [];
  afterEach(() => {
    for (const task of cleanUp.splice(0)) task();
  });

  it('sends one trace a turn, with times of the wall and children inside', async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      let body = '';
      request.on('data', piece => {
        body += piece;
      });
      request.on('end', () => {
        bodies.push(body);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => void collector.close());
    const { port } = collector.address() as AddressInfo;
    const exporter = await otlpExporter(`http://127.0.0.1:${port}/v1/traces`, 1_700_000_000_000, '1.2.3');
    exporter.turn(turnSpans('a', TRACE)!);
    const clock = new VirtualClock();
    const host = new HostSpans({ exporters: [exporter], clock, component: 'gan-decoder', host: 'far-1' });
    const traceparent = traceparentOf('a', 3);
    host.step([{ traceparent }, {}], 0, 4);
    await clock.runFor(500);
    host.step([{ traceparent }, { traceparent: 'nonsense' }], 500, 6);
    await clock.runFor(3000);
    host.close();
    await exporter.close();

    const { resourceSpans } = JSON.parse(bodies.join(''));
    const spans = resourceSpans[0].scopeSpans[0].spans;
    const root = spans.find(({ name }: { name: string }) => name === 'turn 3');
    // What another host did is of the same trace, and of nobody else's.
    const there = spans.filter(({ name }: { name: string }) => name === 'gan-decoder');
    expect(there).toHaveLength(1);
    expect([there[0].traceId, there[0].parentSpanId]).toEqual([root.traceId, root.spanId]);
    expect(there[0].attributes).toContainEqual({ key: 'longcat.steps', value: { intValue: 2 } });
    expect(there[0].attributes).toContainEqual({ key: 'longcat.host', value: { stringValue: 'far-1' } });
    spans.splice(spans.indexOf(there[0]), 1);
    expect(root.startTimeUnixNano).toBe('1700000001000000000');
    expect(root.endTimeUnixNano).toBe('1700000003100000000');
    expect(spans).toHaveLength(6);
    for (const span of spans) expect(span.traceId).toBe(root.traceId);
    const play = spans.find(({ name }: { name: string }) => name === 'play-out');
    expect(play.parentSpanId).toBe(root.spanId);
    expect(play.startTimeUnixNano).toBe('1700000002460000000');
  });

  it('whose collector is gone keeps nobody waiting and throws nothing', async () => {
    const exporter = await otlpExporter('http://127.0.0.1:9/v1/traces', 0, '1.2.3');
    exporter.turn(turnSpans('a', TRACE)!);
    await exporter.close();
  });
});

describe('turns in the log', () => {
  it('have one name in whatever process, and none of their words', async () => {
    const lines: Record<string, unknown>[] = [];
    const debug = (values: object, text: string) => void lines.push({ ...values, text });
    const log = { ...silentLogger, debug };
    turnLog(log).turn(turnSpans('a', TRACE)!);
    const clock = new VirtualClock();
    const exporters = [turnLog(log, { host: 'far-1' })];
    const spans = new HostSpans({ exporters, clock, component: 'gan-decoder', host: 'far-1' });
    spans.step([{ traceparent: traceparentOf('a', 3) }, { traceparent: 'nonsense' }], 0, 4);
    await clock.runFor(4);
    spans.close();
    const { traceId: trace } = idsOf(traceparentOf('a', 3))!;
    const figures = {
      interrupted: false,
      heard_ms: 600,
      speculations: 1,
      rollbacks: 0,
      answer_delay_ms: 500,
    };
    expect(lines).toEqual([
      { session: 'a', turn: 3, trace, ...figures, text: 'A turn is over.' },
      {
        ...{ host: 'far-1', component: 'gan-decoder', trace, ms: 4, steps: 1, busy_ms: 4 },
        text: 'Steps of a turn.',
      },
    ]);
  });
});

describe('a host of components', () => {
  it('tells over HTTP how it is and what it did, its name in every line, to who has a key', async () => {
    const components = new Map([['gan-decoder', 'ready' as ComponentState]]);
    const health = { components, faults$: EMPTY, recoveries$: EMPTY };
    const metrics = new HostMetrics('far-1', health);
    metrics.serves('gan-decoder', { streams: 5, clients: 2 });
    metrics.step('gan-decoder', 3, 4);
    const server = await startHostServer({
      ...{ host: '127.0.0.1', port: 0, keys: ['secret'], name: 'far-1', health, metrics },
      ...{ clock: new RealClock(), log: silentLogger },
    });
    onTestFinished(() => server.close());
    const ask = (path: string, headers = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    expect((await ask('/metrics')).status).toBe(401);
    const told = await (await ask('/metrics', { authorization: 'Bearer secret' })).text();
    expect(told).toContain('longcat_host_works_total{component="gan-decoder",host="far-1"} 3');
    expect(told).toContain('longcat_host_step_seconds_count{host="far-1",component="gan-decoder"} 1');
    expect(told).toContain('longcat_host_streams{component="gan-decoder",host="far-1"} 5');
    expect(told).toContain('longcat_host_ready{component="gan-decoder",host="far-1"} 1');
    expect(await (await ask('/healthz')).json()).toEqual({ status: 'ok', host: 'far-1' });
    expect((await ask('/readyz')).status).toBe(200);
    components.set('gan-decoder', 'down');
    expect((await ask('/readyz')).status).toBe(503);
  });
});
