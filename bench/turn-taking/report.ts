/** docs/turn-taking.md. */
import { RECORDED, type SoundKind, TAKES_TURN, type Trial } from './barge-in.ts';
import type { Halves, Point } from './end-of-turn.ts';
import type { FirstAudio } from './first-audio.ts';

interface Results {
  readonly curve: readonly Point[];
  /** Policies set for a mean delay. */
  readonly family: readonly Point[];
  readonly meaning: readonly Point[];
  readonly halves: readonly Halves[];
  readonly trials: readonly Trial[];
  readonly answers: readonly FirstAudio[];
  readonly turns: number;
  readonly seed: number;
  readonly tuningSeed: number;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export function report(results: Results): string {
  const { answers, turns, trials } = results;
  return `# Turn-taking, measured

Written by \`npm run bench -- turn-taking\`. Voices and wordings that training never has (espeak-ng variants held out, flite awb), kinds
of questions as often as in conversations, pauses as docs/spec/latency-data.md §4.2 inside the turns (after any word but where the words so far are a
whole sentence), noise at 10–30 dB, every second line a telephone (8 kHz, µ-law). A turn is *cut off* when an endpoint comes before its
last word; *delay* is from the end of the last word to the endpoint, of the turns that were not.

## End of turn (${turns} turns)

![False cut-offs against delay](turn-taking.svg)

${endOfTurn(results)}

The presets run through the runtime as it is. *Set for …* is the policy with the fewest false cut-offs at that mean delay on the turns of
seed ${results.tuningSeed} (\`npm run bench -- turn-taking-fit\`), computed on these turns from the model's estimates. Everything is set on seed
${results.tuningSeed} and reported on seed ${results.seed}.

## Wide band and telephone

Hesitant turns: a pause of 0.3–1.5 s inside every one of them, noise at 10–30 dB, every second line a telephone. *By default* is what
everybody gets who chooses nothing: \`balanced\`, and \`telephone\` where the line is heard to be one
(\`actors/perceive/line-kind.ts\`: nothing of the voice above 4 kHz, or packets that go on being lost).

${halvesTable(results.halves)}

## First audio after the endpoint

Over loopback to a client of the Realtime protocol, by the real clock, one caller at a time: from \`speech_stopped\` to the first
\`response.output_audio.delta\`, both as the client receives them.

| | answers | p50, ms | p99, ms | longest, ms |
| --- | --- | --- | --- | --- |
${answers.map(firstAudioRow).join('\n')}

## Sound during the agent's speech (${trials.length} trials)

The agent recites a recording; nano's audio encoder hears the words. Half of the callers have an echo of the agent in their
microphone, −20…−40 dB, 100–300 ms late. Backchannels are 6 dB lower than turns where nothing else is said, side talk 16 dB. Play-out is
paced, 20 ms ahead. *Music, animal, alarm, laugh, tool, typing* are real recordings at −3 dB, *person* is people's recorded voices at the
level of a turn; of whom, says the next table. The detector's network learnt nothing of those packages, only of the set \`tune\` of
\`bench/turn-taking/recordings.json\`; but what they gave was looked at while its thresholds were chosen,
so they are not unseen. This command does not measure the set \`fresh\`.
Times count from the first sample of the sound, medians, in brackets the 90th percentile and the longest.

${sounds(trials)}

Recordings, by the package that they are of, and how many of them took the turn:

${packages(trials)}

${late(trials)} A voice more than 9 dB below the user's own turns does not even duck the agent
(\`actors/perceive/voice-elsewhere.ts\`); what still does of it was covered by the line's noise or by the echo before. The time from duck to
decision shows the deciding alone. The policy (\`actors/turn-taking/interruption.ts\`) was set on the voices, wordings and noises of seeds 12 and 13; these are
of seed ${results.seed}.
`;
}

function halvesTable(halves: readonly Halves[]): string {
  if (halves.length === 0) return 'Not measured in this run.';
  const cells = ({ falseCutOffs, meanDelayMs, turns }: Point) =>
    `${turns} | ${percent(falseCutOffs)} | ${meanDelayMs}`;
  const rows = halves.map(
    ({ policy, telephone, wide }) => `| ${policy} | ${cells(wide)} | ${cells(telephone)} |`,
  );
  return `| policy | wide-band turns | cut off | mean delay, ms | telephone turns | cut off | mean delay, ms |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}`;
}

/** Trials with recordings carry their package as the first word of their text. */
function packages(trials: readonly Trial[]): string {
  const groups = new Map<string, Trial[]>();
  for (const trial of trials) {
    if (!RECORDED.has(trial.kind)) continue;
    const name = `${trial.text.split(' ')[0]} | ${trial.kind}`;
    groups.set(name, [...(groups.get(name) ?? []), trial]);
  }
  if (groups.size === 0) return 'None were found on this machine.';
  const rows = [...groups].map(
    ([name, of]) => `| ${name} | ${of.length} | ${of.filter(({ yielded }) => yielded).length} |`,
  );
  return `| package | sound | trials | took the turn |
| --- | --- | --- | --- |
${rows.join('\n')}`;
}

const LATE_MS = 500;

/** A sentence on what was decided late, so that no median hides it. */
function late(trials: readonly Trial[]): string {
  const later = trials.filter(({ decisionMs }) => decisionMs !== null && decisionMs > LATE_MS);
  const kinds = [...new Set(later.map(({ kind }) => kind))].join(', ');
  const ofWhom = kinds && ` (${kinds})`;
  const longest = Math.max(...trials.map(({ duckMs, decisionMs }) => (decisionMs ?? 0) - (duckMs ?? 0)));
  return `Later than ${LATE_MS} ms after the onset were decided ${later.length} of ${trials.length}${ofWhom}; the longest decision after
a duck took ${Math.round(longest)} ms.`;
}

function firstAudioRow({ answers, maxMs, p50Ms, p99Ms, policy }: FirstAudio): string {
  return `| ${policy} | ${answers} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} | ${maxMs.toFixed(1)} |`;
}

function endOfTurn({ curve, family, meaning }: Results): string {
  const rows = [...curve, ...family, ...meaning].map(
    point =>
      `| ${point.policy} | ${percent(point.falseCutOffs)} | ${point.meanDelayMs} | ${point.p50DelayMs} | ${point.p90DelayMs} | ${point.unanswered} | ${point.speculationsPerTurn.toFixed(2)} |`,
  );
  const none = meaning.length > 0 ? '' : '\n\nThe model has no wait token yet: only silence was measured.';
  return `| policy | cut off | mean delay, ms | p50 | p90 | never ended | speculations a turn |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}${none}`;
}

function sounds(trials: readonly Trial[]): string {
  const kinds = [...new Set(trials.map(({ kind }) => kind))];
  const rows = kinds.map(kind =>
    row(
      kind,
      trials.filter(trial => trial.kind === kind),
    ),
  );
  const right = trials.filter(({ kind, yielded }) => yielded && TAKES_TURN.includes(kind)).length;
  const recall = right / trials.filter(({ kind }) => TAKES_TURN.includes(kind)).length;
  const precision = right / Math.max(1, trials.filter(({ yielded }) => yielded).length);
  return `| sound | trials | took the turn | ducked | onset → duck, ms | onset → silence, ms | onset → decision, ms | duck → decision, ms | decision → going on, ms |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

Recall ${percent(recall)}, precision ${percent(precision)}.`;
}

function row(kind: SoundKind, trials: readonly Trial[]): string {
  const yielded = trials.filter(trial => trial.yielded).length;
  const ducked = trials.filter(trial => trial.duckMs !== null).length;
  const times = TIMES.map(time => spread(trials, time));
  return `| ${kind} | ${trials.length} | ${yielded} | ${ducked} | ${times.join(' | ')} |`;
}

const TIMES: readonly ((trial: Trial) => number | null)[] = [
  trial => trial.duckMs,
  trial => trial.silenceMs,
  trial => trial.decisionMs,
  ({ decisionMs, duckMs }) => (decisionMs === null || duckMs === null ? null : decisionMs - duckMs),
  trial => trial.resumeMs,
];

function spread(trials: readonly Trial[], time: (trial: Trial) => number | null): string {
  const known = trials.map(time).filter(value => value !== null);
  if (known.length === 0) return '–';
  known.sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(known[Math.min(known.length - 1, Math.floor(share * known.length))]);
  return `${at(0.5)} (${at(0.9)}, ${at(1)})`;
}
