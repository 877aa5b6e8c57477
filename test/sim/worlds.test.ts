/** People and networks against the identities of docs/spec/latency-data.md §4, §5 and §7. */
import { describe, expect, it } from 'vitest';
import { createRandom, VirtualClock } from '../../actors/core/index.ts';
import { FarEar } from '../../sim/networks/ear.ts';
import { GilbertElliott } from '../../sim/networks/gilbert-elliott.ts';
import { SimulatedJitterBuffer } from '../../sim/networks/jitter-buffer.ts';
import { ListenerBuffer } from '../../sim/networks/listener-buffer.ts';
import { Path } from '../../sim/networks/path.ts';
import { NETWORK_PROFILES } from '../../sim/networks/profiles.ts';
import { drawTurn, exGaussian, HUMAN_GAP, logNormal } from '../../sim/people/laws.ts';
import { p59Conversation } from '../../sim/people/p59.ts';
import { SPEECH, Voice } from '../../sim/people/voice.ts';
import { mean, meanEstimate, quantile } from '../../sim/statistics/estimates.ts';

const draw = <T>(count: number, one: () => T) => Array.from({ length: count }, one);
const shareOf = (values: readonly number[], holds: (value: number) => boolean) =>
  values.filter(holds).length / values.length;

describe('people', () => {
  it('leave gaps with the ex-Gaussian’s mean, deviation and shares', () => {
    const random = createRandom('gaps');
    const gaps = draw(200_000, () => exGaussian(random, HUMAN_GAP));
    const centre = mean(gaps);
    expect(centre).toBeCloseTo(0.21, 2);
    expect(Math.sqrt(mean(gaps.map(gap => (gap - centre) ** 2)))).toBeCloseTo(0.403, 2);
    expect(shareOf(gaps, gap => gap < 0)).toBeCloseTo(0.31, 2);
    expect(shareOf(gaps, gap => gap < 0.2)).toBeCloseTo(0.53, 1);
    expect(shareOf(gaps, gap => gap > 0.7)).toBeCloseTo(0.11, 1);
  });

  it('pause so long that a fixed threshold cuts in as often as published', () => {
    const random = createRandom('pauses');
    const pauses = draw(200_000, () => logNormal(random, { median: 0.4, sigma: 0.75 }));
    expect(shareOf(pauses, pause => pause > 0.5)).toBeCloseTo(0.38, 2);
    expect(shareOf(pauses, pause => pause > 0.7)).toBeCloseTo(0.23, 2);
    expect(shareOf(pauses, pause => pause > 1)).toBeCloseTo(0.11, 2);
  });

  it('speak in turns that end with speech and whose pauses are no shorter than 200 ms', () => {
    const random = createRandom('turns');
    const law = { talkS: { median: 4, sigma: 0.6 }, pauseS: { median: 0.4, sigma: 0.75 }, talkPerPauseS: 1 };
    for (const turn of draw(2000, () => drawTurn(random, law))) {
      expect(turn.at(-1)!.pauseMs).toBe(0);
      for (const { pauseMs } of turn.slice(0, -1)) expect(pauseMs).toBeGreaterThanOrEqual(200);
      for (const { speechMs } of turn) expect(speechMs).toBeGreaterThan(0);
    }
  });

  it('share the line as ITU-T P.59 has it: 70.1, 7.4 and 22.5 %', () => {
    const shares = draw(20, () => 0).map((_, seed) => {
      const seconds = { A: 0, B: 0, both: 0, silence: 0 };
      let left = 20_000;
      for (const stay of p59Conversation(createRandom(`p59 ${seed}`))) {
        seconds[stay.state] += stay.seconds;
        if (--left === 0) break;
      }
      const total = seconds.A + seconds.B + seconds.both + seconds.silence;
      return [(seconds.A + seconds.B) / total, seconds.both / total, seconds.silence / total];
    });
    [0.701, 0.074, 0.225].forEach((expected, i) => {
      const { value } = meanEstimate(shares.map(share => share[i]));
      expect(value).toBeCloseTo(expected, 2);
    });
  });

  it('are heard as they spoke, also in packets cut across a sound', () => {
    const voice = new Voice();
    voice.sound(100, 130);
    voice.sound(60, 70, 0.5);
    voice.stopAt(125);
    expect([...voice.packet(80, 40)].filter(sample => sample === 0.5)).toHaveLength(10);
    expect(voice.packet(120, 20)).toEqual(new Float32Array(20).fill(SPEECH));
    const last = voice.packet(140, 20);
    expect([...last].filter(sample => sample > 0)).toHaveLength(5);
  });
});

describe('networks', () => {
  it.each([
    [0.001, 1.2],
    [0.02, 3],
    [0.03, 5],
  ])('lose %d of the packets in bursts of %d', (loss, meanBurst) => {
    const chain = new GilbertElliott(createRandom('loss'), loss, meanBurst);
    expect(chain.toBad / (chain.toBad + chain.toGood)).toBeCloseTo(loss, 12);
    const packets = 1_000_000;
    let [lost, bursts, before] = [0, 0, false];
    for (let i = 0; i < packets; i++) {
      const isLost = chain.loses();
      if (isLost) lost += 1;
      if (isLost && !before) bursts += 1;
      before = isLost;
    }
    expect(Math.abs(lost / packets / loss - 1)).toBeLessThan(0.08);
    expect(Math.abs(lost / bursts / meanBurst - 1)).toBeLessThan(0.05);
  });

  it('add jitter whose p95 lies the given time above the median', () => {
    const path = new Path(
      createRandom('jitter'),
      { ...NETWORK_PROFILES.wifi, spikesPerMinute: 0, loss: 0 },
      20,
      false,
    );
    const delays = draw(100_000, () => path.send(0)!).sort((a, b) => a - b);
    expect(quantile(delays, 0.95) - quantile(delays, 0.5)).toBeCloseTo(NETWORK_PROFILES.wifi.jitterMs, 0);
    expect(delays[0]).toBeGreaterThan(NETWORK_PROFILES.wifi.baseMs);
  });

  it('lose nothing and keep the order where they are reliable', () => {
    const path = new Path(createRandom('tcp'), NETWORK_PROFILES['4g-edge'], 20, true);
    const arrivals = draw(20_000, () => 0).map((_, i) => path.send(i * 20));
    expect(arrivals.every((arrival, i) => arrival !== null && arrival >= (arrivals[i - 1] ?? 0))).toBe(true);
    expect(path.lost).toBeGreaterThan(0);
  });

  it('play every packet once and in order through the jitter buffer, or conceal it', () => {
    const random = createRandom('buffer');
    const path = new Path(random, NETWORK_PROFILES['wifi-congested'], 20, false);
    const buffer = new SimulatedJitterBuffer(20, 4);
    const played: number[] = [];
    for (let tick = 1; tick <= 20_000; tick++) {
      buffer.arrives(tick * 20, path.send(tick * 20));
      for (const { isThere, packet } of buffer.play(tick * 20)) played.push(isThere ? packet : -1);
    }
    const real = played.filter(packet => packet >= 0);
    expect(real).toEqual([...new Set(real)].sort((a, b) => a - b));
    expect(Math.abs(played.length - 20_000)).toBeLessThan(80);
    expect(real.length / 20_000).toBeGreaterThan(0.85);
  });

  it.each([
    [1, 'one alone'],
    [3, 'the last of three'],
  ])('where losses come in bursts of %d, a packet that carries the one before repairs %s', lost => {
    const heard = (repairs: boolean) => {
      const buffer = new SimulatedJitterBuffer(20, 4, { repairs });
      const [from, missing]: [number, number[]] = [100, []];
      for (let tick = 0; tick < 400; tick++) {
        const isLost = tick >= from && tick < from + lost;
        buffer.arrives(tick * 20, isLost ? null : tick * 20 + 15);
        for (const { isThere, packet } of buffer.play(tick * 20 + 20))
          if (packet >= 0 && !isThere) missing.push(packet);
      }
      return missing;
    };
    const all = Array.from({ length: lost }, (_, i) => 100 + i);
    expect(heard(false)).toEqual(all);
    expect(heard(true)).toEqual(all.slice(0, -1));
  });

  it('and so does the listener of the next, where it comes before its turn', () => {
    const buffer = new ListenerBuffer(20, 2);
    expect(buffer.place(0, 20, 15)).toBe(40);
    expect(buffer.place(20, 20, null)).toBeNull();
    expect(buffer.repaired(90)).toBeNull();
    expect(buffer.repaired(55)).toBe(60);
    expect(buffer.place(40, 20, 55)).toBe(80);
    expect(buffer.repaired(75)).toBeNull();
  });
});

describe('the ear', () => {
  function listen() {
    const clock = new VirtualClock();
    const heard: string[] = [];
    const ear = new FarEar({
      clock,
      renderMs: 30,
      hiddenBreakMs: 0,
      onStarted: (atMs, itemId) => heard.push(`${itemId} started ${atMs}`),
      onStopped: atMs => heard.push(`stopped ${atMs}`),
    });
    return { clock, ear, heard };
  }

  it('plays what arrives one after another', () => {
    const { clock, ear, heard } = listen();
    ear.play('a', 100, 60);
    ear.play('a', 101, 60);
    clock.runUntilSync(2000);
    expect(heard).toEqual(['a started 130', 'stopped 250']);
  });

  it('is silent when a clear has arrived and what was in the renderer has sounded', () => {
    const { clock, ear, heard } = listen();
    ear.play('a', 0, 5000);
    clock.runUntilSync(1000);
    ear.clear(1040);
    clock.runUntilSync(10_000);
    expect(heard).toEqual(['a started 30', 'stopped 1070']);
  });

  it('hears nothing of a reply that was cleared before it sounded', () => {
    const { clock, ear, heard } = listen();
    ear.play('a', 0, 500);
    ear.clear(0);
    clock.runUntilSync(1000);
    expect(heard).toEqual([]);
  });

  it('notices the silence of a clear also when the next reply is on its way by then', () => {
    const { clock, ear, heard } = listen();
    ear.play('a', 0, 9000);
    clock.runUntilSync(1000);
    ear.clear(1040);
    clock.runUntilSync(2000);
    ear.play('b', 2000, 60);
    clock.runUntilSync(20_000);
    expect(heard).toEqual(['a started 30', 'stopped 1070', 'b started 2030', 'stopped 2090']);
  });
});
