/**
 * One run: the product's own actors under the virtual clock, with a modelled engine, simulated people and simulated
 * networks (ARCHITECTURE.md §6). A pure function of (scenario, seed).
 */
import { createRandom, exponential, type Random, VirtualClock } from '../actors/core/index.ts';
import { createRuntime } from '../actors/index.ts';
import type { Runtime, SessionSettings } from '../actors/session-api.ts';
import { Call } from './call.ts';
import { collect } from './collect.ts';
import { buildEngine } from './engines/build-engine.ts';
import { Metronome } from './networks/metronome.ts';
import { NETWORK_PROFILES, type NetworkProfile } from './networks/profiles.ts';
import type { PersonLaw } from './people/person.ts';
import { activityDetector } from './people/voice.ts';
import type { RunResult } from './results.ts';
import type { Scenario } from './scenarios/schema.ts';

export interface RunOptions {
  /** Called with the share of simulated time that has passed, 0–1. */
  readonly onProgress?: (share: number) => void;
}

/** Sessions that last the whole run begin within this time, so that they do not speak in chorus. */
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
  const clock = new VirtualClock();
  const random = createRandom(seed);
  const replies = {
    medianS: scenario.replyS.median,
    sigma: scenario.replyS.sigma,
    maxS: scenario.replyS.max,
  };
  const { engine, dollarsPerHour } = buildEngine(scenario.engine, replies, clock, random.split('engine'));
  const { maxBatch, prefillTokenBudget } = scenario.limits;
  const maxSessions = 'lines' in scenario.load ? scenario.load.lines : scenario.load.sessions;
  const runtime = createRuntime({
    engine,
    clock,
    random: random.split('runtime'),
    limits: { maxSessions, maxBatch, prefillTokenBudget, maxItems: 100_000 },
    voiceActivityDetector: activityDetector,
  });
  const exchange = new Exchange(scenario, clock, random.split('calls'), runtime);
  exchange.begin();

  const toMs = scenario.durationS * 1000;
  for (let step = 1; step <= PROGRESS_STEPS; step++) {
    clock.runUntilSync((toMs * step) / PROGRESS_STEPS);
    options.onProgress?.(step / PROGRESS_STEPS);
  }
  const { calls, refused } = exchange;
  const names = { scenario: scenario.name, seed: String(seed) };
  const window = { fromMs: scenario.warmUpS * 1000, toMs };
  const result = collect(names, window, { calls, refused, devices: engine.devices, dollarsPerHour });
  exchange.end();
  await runtime.close();
  return result;
}

/** Opens and ends the calls. */
class Exchange {
  readonly calls: Call[] = [];
  refused = 0;
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #arrivals: Random;
  readonly #durations: Random;
  readonly #runtime: Runtime;
  readonly #metronomes: readonly Metronome[];
  readonly #settings: Partial<SessionSettings>;
  readonly #law: PersonLaw;
  #dialled = 0;

  constructor(scenario: Scenario, clock: VirtualClock, random: Random, runtime: Runtime) {
    const { packetMs } = scenario.transport;
    this.#scenario = scenario;
    this.#clock = clock;
    this.#random = random;
    this.#arrivals = random.split('arrivals');
    this.#durations = random.split('durations');
    this.#runtime = runtime;
    this.#metronomes = Array.from(
      { length: PHASES },
      (_, phase) => new Metronome(clock, packetMs, (phase * packetMs) / PHASES),
    );
    this.#settings = sessionSettings(scenario);
    this.#law = personLaw(scenario);
  }

  begin(): void {
    const { load } = this.#scenario;
    if ('sessions' in load) {
      for (let i = 0; i < load.sessions; i++) {
        this.#clock.setTimer(this.#arrivals.next() * BEGIN_WITHIN_MS, () => this.#dial());
      }
    } else {
      // As if it had been running for long: calls under way, whose exponential rest is as long as a whole call.
      const underWay = Math.min(load.lines, Math.round(load.callsPerMinute * load.callMinutes));
      for (let i = 0; i < underWay; i++) {
        this.#clock.setTimer(this.#arrivals.next() * BEGIN_WITHIN_MS, () => this.#takeCall(load.callMinutes));
      }
      this.#nextArrival(load.callsPerMinute, load.callMinutes);
    }
  }

  end(): void {
    for (const call of this.calls) call.end();
  }

  #nextArrival(callsPerMinute: number, callMinutes: number): void {
    this.#clock.setTimer(exponential(this.#arrivals, 60_000 / callsPerMinute), () => {
      this.#takeCall(callMinutes);
      this.#nextArrival(callsPerMinute, callMinutes);
    });
  }

  #takeCall(callMinutes: number): void {
    const call = this.#dial();
    const lengthMs = exponential(this.#durations, callMinutes * 60_000);
    if (call) this.#clock.setTimer(lengthMs, () => call.end());
  }

  #dial(): Call | null {
    const number = this.#dialled++;
    if (this.#runtime.sessions.size >= this.#runtime.limits.maxSessions) {
      this.refused += 1;
      return null;
    }
    const { network, transport, video } = this.#scenario;
    const id = `call ${number}`;
    const call = new Call({
      id,
      clock: this.#clock,
      random: this.#random.split(id),
      runtime: this.#runtime,
      metronome: this.#metronomes[number % PHASES],
      profile: networkProfile(network),
      transport,
      settings: this.#settings,
      law: this.#law,
      showsPictures: video,
    });
    this.calls.push(call);
    return call;
  }
}

function networkProfile(network: Scenario['network']): NetworkProfile {
  return typeof network === 'string' ? NETWORK_PROFILES[network] : network;
}

function sessionSettings({ turnTaking, transport }: Scenario): Partial<SessionSettings> {
  const { kind, leadMs } = transport;
  return {
    turnDetection: { mode: 'vad', prefixPaddingMs: 300, createResponse: true, ...turnTaking },
    delivery: kind === 'rtp' ? { mode: 'paced', leadMs } : { mode: 'burst' },
  };
}

function personLaw({ people, replyS }: Scenario): PersonLaw {
  const { talkS, pauseS, talkPerPauseS, gapS, ...rest } = people;
  const meanReplyS = replyS.median * Math.exp(replyS.sigma ** 2 / 2);
  return { ...rest, turn: { talkS, pauseS, talkPerPauseS }, gap: gapS, meanReplyS };
}
