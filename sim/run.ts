/**
 * One run: the product's own actors under the virtual clock, with a modelled engine, simulated people and simulated
 * networks (ARCHITECTURE.md §6). A pure function of (scenario, seed).
 */
import { createRandom, exponential, type Random, VirtualClock } from '../actors/core/index.ts';
import { createRuntime } from '../actors/index.ts';
import type { Runtime, SessionSettings } from '../actors/session-api.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { SimulatedCall } from './call.ts';
import { type Calls, factorAt, greatestFactor } from './calls-load.ts';
import { collect } from './collect.ts';
import { buildEngine, type PricedEngine, powerOf } from './engines/build-engine.ts';
import type { KvMemory } from './engines/memory.ts';
import { SimulatedTool } from './engines/simulated-tool.ts';
import { Metronome } from './networks/metronome.ts';
import { NETWORK_PROFILES, type NetworkProfile } from './networks/profiles.ts';
import type { PersonLaw } from './people/person.ts';
import { activityDetector } from './people/voice.ts';
import type { RunResult } from './results.ts';
import type { Scenario } from './scenarios/schema.ts';
import { callLaw, calmMs, followsMeaning, personLaw, sessionSettings } from './session-settings.ts';

export interface RunOptions {
  /** Called with the share of simulated time that has passed, 0–1. */
  readonly onProgress?: (share: number) => void;
  /** Every packet of silence is given at its time: the same result, later. */
  readonly givesAllSilence?: boolean;
}

/** Calls that are under way from the start begin within this time, so that they do not speak in chorus. */
const BEGIN_WITHIN_MS = 5000;
/** Packets of different sessions leave at one of so many phases. */
const PHASES = 4;
const PROGRESS_STEPS = 50;

/** @throws RuntimeError of the runtime, the scenario or a bound of the simulator */
export async function runScenario(
  scenario: Scenario,
  seed: string | number,
  options: RunOptions = {},
): Promise<RunResult> {
  checkNoDay(scenario);
  const clock = new VirtualClock();
  const random = createRandom(seed);
  const replies = {
    medianS: scenario.replyS.median,
    sigma: scenario.replyS.sigma,
    maxS: scenario.replyS.max,
    calls: callLaw(scenario),
  };
  const toMs = scenario.durationS * 1000;
  const window = { fromMs: scenario.warmUpS * 1000, toMs };
  const built = buildEngine(
    scenario.engine,
    replies,
    clock,
    random.split('engine'),
    followsMeaning(scenario),
    window,
  );
  const { engine, dollarsPerHour, memory } = built;
  const { maxBatch, prefillTokenBudget } = scenario.limits;
  const maxSessions = linesOf(scenario.load);
  const tool = scenario.tools && new SimulatedTool(scenario.tools, clock, random.split('tool'));
  const runtime = createRuntime({
    engine,
    clock,
    random: random.split('runtime'),
    ...(tool && { tools: [tool.tool] }),
    limits: { maxSessions, maxBatch, prefillTokenBudget, maxItems: 100_000 },
    voiceActivityDetector: activityDetector,
  });
  const exchange = new Exchange(
    scenario,
    clock,
    random.split('calls'),
    runtime,
    built,
    options.givesAllSilence ?? false,
  );
  exchange.begin();

  for (let step = 1; step <= PROGRESS_STEPS; step++) {
    clock.runUntilSync((toMs * step) / PROGRESS_STEPS);
    if (exchange.broken) throw exchange.broken.error;
    options.onProgress?.(step / PROGRESS_STEPS);
  }
  const { calls, refusals } = exchange;
  const names = { scenario: scenario.name, seed: String(seed) };
  const { devices, model } = engine;
  const world = {
    calls,
    refusals,
    devices,
    memory: memory?.use ?? null,
    dollarsPerHour,
    wattsOf: (statistics: RunResult['devices']) => powerOf(scenario.engine, statistics),
    codeFrameMs: model.codeFrameMs,
    meanCallMs: 'lines' in scenario.load ? scenario.load.callMinutes * 60_000 : null,
    patienceMs: scenario.people.patienceS * 1000,
    losesHost: scenario.engine.outages.length > 0,
    tool: tool && { runs: tool.runs, aborted: tool.aborted },
  };
  const result = collect(names, window, world);
  exchange.end();
  await runtime.close();
  return result;
}

/** Opens and ends the calls. */
class Exchange {
  readonly calls: SimulatedCall[] = [];
  readonly refusals: { readonly atMs: number; readonly isForMemory: boolean }[] = [];
  /** What a call could not cope with, the first of it. */
  broken: { readonly error: unknown } | null = null;
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #arrivals: Random;
  readonly #durations: Random;
  readonly #runtime: Runtime;
  readonly #outputSampleRate: number;
  readonly #memory: KvMemory | null;
  readonly #metronomes: readonly Metronome[];
  readonly #settings: Partial<SessionSettings>;
  readonly #law: PersonLaw;
  readonly #calmMs: number;
  #dialled = 0;

  constructor(
    scenario: Scenario,
    clock: VirtualClock,
    random: Random,
    runtime: Runtime,
    { engine, memory }: PricedEngine,
    givesAllSilence: boolean,
  ) {
    const { packetMs } = scenario.transport;
    this.#scenario = scenario;
    this.#clock = clock;
    this.#random = random;
    this.#arrivals = random.split('arrivals');
    this.#durations = random.split('durations');
    this.#runtime = runtime;
    this.#outputSampleRate = engine.model.outputSampleRate;
    this.#memory = memory;
    this.#metronomes = Array.from(
      { length: PHASES },
      (_, phase) => new Metronome(clock, packetMs, (phase * packetMs) / PHASES),
    );
    this.#settings = sessionSettings(scenario);
    this.#law = personLaw(scenario);
    this.#calmMs = givesAllSilence ? Number.POSITIVE_INFINITY : calmMs(this.#settings);
  }

  begin(): void {
    const { load } = this.#scenario;
    if ('sessions' in load) {
      for (let i = 0; i < load.sessions; i++) {
        this.#clock.setTimer(this.#arrivals.next() * load.beginWithinS * 1000, () => this.#dial());
      }
    } else if ('calls' in load) {
      for (const { atS, forS } of load.calls) {
        this.#clock.setTimer(atS * 1000, () => {
          const call = this.#dial();
          if (call) this.#clock.setTimer(forS * 1000, () => call.end());
        });
      }
    } else {
      // As if it had been running for long: calls under way, whose exponential rest is as long as a whole call.
      const underWay = Math.min(
        load.lines,
        Math.round(load.callsPerMinute * factorAt(load, 0) * load.callMinutes),
      );
      for (let i = 0; i < underWay; i++) {
        this.#clock.setTimer(this.#arrivals.next() * BEGIN_WITHIN_MS, () => this.#takeCall(load.callMinutes));
      }
      this.#nextArrival(load);
    }
  }

  end(): void {
    for (const call of this.calls) call.end();
  }

  /** Thinned from the greatest rate (Lewis and Shedler), so that the rate may change at any time. */
  #nextArrival(load: Calls): void {
    const most = greatestFactor(load);
    if (most <= 0) return;
    this.#clock.setTimer(exponential(this.#arrivals, 60_000 / (load.callsPerMinute * most)), () => {
      const share = factorAt(load, this.#clock.nowMs()) / most;
      if (share >= 1 || this.#arrivals.next() < share) this.#takeCall(load.callMinutes);
      this.#nextArrival(load);
    });
  }

  #takeCall(callMinutes: number): void {
    const call = this.#dial();
    const lengthMs = exponential(this.#durations, callMinutes * 60_000);
    if (call) this.#clock.setTimer(lengthMs, () => call.end());
  }

  #dial(): SimulatedCall | null {
    const number = this.#dialled++;
    const isFull = this.#runtime.sessions.size >= this.#runtime.limits.maxSessions;
    if (isFull || this.#memory?.hasRoomBeside(this.#runtime.sessions.size) === false) {
      const { load, warmUpS } = this.#scenario;
      // A session that would have lasted the whole run is missing after the warm-up as well.
      const countsFromMs = 'sessions' in load ? warmUpS * 1000 : 0;
      this.refusals.push({ atMs: Math.max(countsFromMs, this.#clock.nowMs()), isForMemory: !isFull });
      return null;
    }
    const { network, transport, video } = this.#scenario;
    const id = `call ${number}`;
    const call = new SimulatedCall({
      id,
      clock: this.#clock,
      random: this.#random.split(id),
      runtime: this.#runtime,
      outputSampleRate: this.#outputSampleRate,
      metronome: this.#metronomes[number % PHASES],
      profile: networkProfile(network),
      transport,
      settings: this.#settings,
      law: this.#law,
      wordsThatMatter: this.#scenario.people.wordsThatMatter,
      showsPictures: video,
      calmMs: this.#calmMs,
      onBroken: error => {
        this.broken ??= { error };
      },
    });
    this.calls.push(call);
    return call;
  }
}

function checkNoDay({ day, name }: Scenario): void {
  if (!day) return;
  const remedy = 'Simulate it by itself: longcat-rt sim FILE.';
  throw new RuntimeError('scenario.invalid', 'A day can be neither compared nor searched.', { name }, remedy);
}

function linesOf(load: Scenario['load']): number {
  if ('sessions' in load) return load.sessions;
  return 'lines' in load ? load.lines : load.calls.length;
}

function networkProfile(network: Scenario['network']): NetworkProfile {
  return typeof network === 'string' ? NETWORK_PROFILES[network] : network;
}
