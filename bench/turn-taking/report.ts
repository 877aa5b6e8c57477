/** docs/turn-taking.md, of what was measured; what people wrote below its last heading stays. */
import { RECORDED, type SoundKind, TAKES_TURN, type Trial } from './barge-in.ts';
import type { Halves, Point } from './end-of-turn.ts';
import type { FirstAudio } from './first-audio.ts';
import type { Measured } from './measured.ts';

const NOTES = '## Notes';
const NOT_MEASURED = 'Not measured.';

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** @param before the page as it was */
export function report(measured: Measured, before: string): string {
  const trials = measured.sounds?.figures ?? [];
  return `# Turn-taking, measured

Written by \`npm run bench -- turn-taking\`, part by part (\`--parts\`); the figures are in [turn-taking.json](turn-taking.json). Voices and wordings that training never has (espeak-ng
variants held out, flite awb), kinds of questions as often as in conversations, pauses as docs/spec/latency-data.md §4.2 inside the turns (after any word but where the words so far are a
whole sentence), noise at 10–30 dB, every second line a telephone (8 kHz, µ-law): our own generators' material, but for the recordings. A turn is *cut off* when an endpoint comes before its
last word; *delay* is from the end of the last word to the endpoint, of the turns that were not.

## End of turn

![False cut-offs against delay](turn-taking.svg)

${endOfTurn(measured)}

The presets run through the runtime as it is. *Set for …* is the policy with the fewest false cut-offs at that mean delay on the turns of
seed 12 (\`npm run bench -- turn-taking-fit\`), computed on these turns from the model's estimates. ${ofWhat(measured, ['silence', 'set-for-a-delay', 'presets'])}

## Wide band and telephone

Hesitant turns: a pause of 0.3–1.5 s inside every one of them, noise at 10–30 dB, every second line a telephone. *By default* is what
everybody gets who chooses nothing: \`balanced\`, and \`telephone\` where the line is heard to be one
(\`actors/perceive/line-kind.ts\`: nothing of the voice above 4 kHz, or packets that go on being lost). ${ofWhat(measured, ['halves'])}

${halvesTable(measured.halves?.figures ?? [])}

## First audio after the endpoint

Over loopback to a client of the Realtime protocol, by the real clock, one caller at a time: from \`speech_stopped\` to the first
\`response.output_audio.delta\`, both as the client receives them. ${ofWhat(measured, ['first-audio'])}

${firstAudioTable(measured['first-audio']?.figures ?? [])}

## Sound during the agent's speech

The agent recites a recording; nano's audio encoder hears the words. Half of the callers have an echo of the agent in their
microphone, −20…−40 dB, 100–300 ms late. Backchannels are 6 dB lower than turns where nothing else is said, side talk 16 dB. Play-out is
paced, 20 ms ahead. *Music, animal, alarm, laugh, tool, typing* are real recordings at −3 dB, *person* is people's recorded voices at the
level of a turn; of whom, say the tables of packages. The detector's network learnt nothing of those packages, only of the set \`tune\` of
\`bench/turn-taking/recordings.json\`; but what they gave was looked at while its thresholds were chosen, so they are not unseen.
Times count from the first sample of the sound, medians, in brackets the 90th percentile and the longest. ${ofWhat(measured, ['sounds'])}

${sounds(trials)}

${late(trials)} A voice more than 9 dB below the user's own turns does not even duck the agent
(\`actors/perceive/voice-elsewhere.ts\`); what still does of it was covered by the line's noise or by the echo before. The time from duck to
decision shows the deciding alone. The policy (\`actors/turn-taking/interruption.ts\`) was set on the voices, wordings and noises of seeds 12 and 13 and on the set \`tune\`.

${packages(trials)}

The same of packages of which nothing was learnt and by which nothing was chosen (the sets \`fresh\` and \`unseen\`). ${ofWhat(measured, ['others'])}

${packages(measured.others?.figures ?? [])}

${share(measured.others?.figures ?? [])}

${before.includes(NOTES) ? before.slice(before.indexOf(NOTES)) : `${NOTES}\n`}`;
}

/** What the figures of a section are of. */
function ofWhat(measured: Measured, names: readonly (keyof Measured)[]): string {
  const told = names.flatMap(name => {
    const part = measured[name];
    return part ? [`weights \`${part.weights}\`, seed ${part.seed}`] : [];
  });
  const kinds = [...new Set(told)];
  return kinds.length === 0 ? '' : `(${kinds.join('; ')})`;
}

/** Of what is no speech, how much took the turn; of people, how many did not. */
function share(trials: readonly Trial[]): string {
  const told = (name: string, of: readonly Trial[]) =>
    `${of.filter(({ yielded }) => yielded).length} of ${of.length} ${name}`;
  if (trials.length === 0) return '';
  const people = trials.filter(({ kind }) => kind === 'person');
  const others = trials.filter(({ kind }) => RECORDED.has(kind) && kind !== 'person');
  return `Together ${told('recordings of what is no speech', others)} took the turn, and ${told('of people', people)}.`;
}

function firstAudioTable(answers: readonly FirstAudio[]): string {
  if (answers.length === 0) return NOT_MEASURED;
  return `| | answers | p50, ms | p99, ms | longest, ms |
| --- | --- | --- | --- | --- |
${answers.map(firstAudioRow).join('\n')}`;
}

function halvesTable(halves: readonly Halves[]): string {
  if (halves.length === 0) return NOT_MEASURED;
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
  if (groups.size === 0) return NOT_MEASURED;
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
  if (trials.length === 0) return '';
  const later = trials.filter(({ decisionMs }) => decisionMs !== null && decisionMs > LATE_MS);
  const kinds = [...new Set(later.map(({ kind }) => kind))].join(', ');
  const ofWhom = kinds && ` (${kinds})`;
  const longest = Math.max(...trials.map(({ duckMs, decisionMs }) => (decisionMs ?? 0) - (duckMs ?? 0)));
  const commands = (of: readonly Trial[]) => of.filter(({ kind }) => kind === 'command').length;
  return `Later than ${LATE_MS} ms after the onset were decided ${later.length} of ${trials.length}${ofWhom}, of commands ${commands(later)} of ${commands(trials)}; the longest
decision after a duck took ${Math.round(longest)} ms.`;
}

function firstAudioRow({ answers, maxMs, p50Ms, p99Ms, policy }: FirstAudio): string {
  return `| ${policy} | ${answers} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} | ${maxMs.toFixed(1)} |`;
}

function endOfTurn(measured: Measured): string {
  const points = (['silence', 'set-for-a-delay', 'presets'] as const).flatMap(
    name => measured[name]?.figures ?? [],
  );
  if (points.length === 0) return NOT_MEASURED;
  return `| policy | turns | cut off | mean delay, ms | p50 | p90 | never ended | speculations a turn |
| --- | --- | --- | --- | --- | --- | --- | --- |
${points.map(pointRow).join('\n')}`;
}

function pointRow(point: Point): string {
  const { falseCutOffs, meanDelayMs, p50DelayMs, p90DelayMs, policy, turns, unanswered } = point;
  const cells = [policy, turns, percent(falseCutOffs), meanDelayMs, p50DelayMs, p90DelayMs, unanswered];
  return `| ${cells.join(' | ')} | ${point.speculationsPerTurn.toFixed(2)} |`;
}

function sounds(trials: readonly Trial[]): string {
  if (trials.length === 0) return NOT_MEASURED;
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

Recall ${percent(recall)}, precision ${percent(precision)}. ${share(trials)}`;
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
