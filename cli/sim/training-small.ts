/** The section of docs/training-parallelism.md on the four-process run. */
import { medianEstimate } from '../../sim/statistics/estimates.ts';
import {
  crowdedCost,
  type Delay,
  type Measured,
  predictSmall,
  predictSteps,
  type Slack,
  type SmallStep,
} from '../../sim/training/index.ts';
import { table } from './markdown-table.ts';
import { shown } from './training-text.ts';

/** The four-process run beside what the simulator says of it. */
export function smallText(runs: readonly Measured[]): string {
  const [measured] = runs;
  const mb = (bytes: number) => (bytes / 1e6).toFixed(3);
  const cells = predictSmall(measured).map(({ name, rank, staticBytes, peakBytes }) => [
    name,
    String(rank),
    mb(staticBytes.measured),
    mb(staticBytes.simulated),
    mb(peakBytes.measured),
    mb(peakBytes.simulated),
    percent(peakBytes.simulated / peakBytes.measured - 1),
  ]);
  return `## Checked against the four-process run

\`train/parallel/measure.py\` (docs/training-parallelism.json), ${measured.date}. Memory by PyTorch's allocator,
of ${measured.microBatches} micro-batches of ${measured.length} positions, width ${measured.hidden}. What an
operator keeps and needs is CP 2's (1 × 1 × 1's where CP is 1), one of the layouts of one and two ranks; no number of the layouts below is used. Weights and
optimiser are counted; the rest is what the machine held while it ran the ranks' programs. Goal: 5 %.

${table(['layout', 'rank', 'static, MB', 'simulated', 'peak of a step, MB', 'simulated', 'error'], cells)}

${stepText(runs)}`;
}

/** How long a step takes, beside what the same machine says. */
function stepText(runs: readonly Measured[]): string {
  const predicted = runs.map(run => predictSteps(run));
  return `### How long a step takes

Every rank has a program (\`sim/training/small-step.ts\`): load and broadcast, encode, bridge, one forward and one backward in turn with every exchange of a layer's two
attentions and of its experts, bridge back, encode back, update. The ranks' programs run on ${runs[0].processors} processors that share themselves out evenly. What goes in:

- **Operators**: the time that a rank's thread had of a processor, its exchanges taken out; the median over steps, from the layouts of two ranks. (Under four ranks
  both processors work too; alone on the machine, as in 1 × 1 × 1, they are not the same.) Context parallel sizes have operators of their own; a stage's share of the backward is
  PP 2's; updates go by the numbers that are brought and those of the optimiser's shard.
- **Messages**, what they take of the processors, gloo's own thread included. Of two ranks: a line through messages and bytes of the layouts of two. **Of four ranks on
  two processors**: \`train/parallel/crowd.py\`, four ranks that run no layout, only compute for 4 ms and exchange, in twos and fours, all with all and one to the others,
  8 bytes to 4 MB a message. There an exchange costs most of a millisecond whatever is in it, which layouts of two do not show. (gloo's thread takes a connection's lock only
  if it is free, and else asks the system again at once: it spins while a rank's own thread holds the lock and waits for its turn. That this is all of it was not measured.)
- **Waiting**: comes about in the machine. Medians of processor's time leave something out, which three numbers stand for, chosen so that the *steps* of the
  four layouts of two ranks come out: how much longer layers take (at a meeting the later of two counts), and how long a message is under way while no processor works
  at it (so much, and so much a megabyte). **Four ranks on two processors** have other delays, since who is waited for also waits for his turn: chosen so that the
  clock of the same exchanges without a layout comes out.

What came out of these, by run:

${table(
  ['run', 'of a processor, others', 'layers', 'delay of two ranks', 'of four', 'an exchange of four ranks'],
  runs.map((run, i) => constants(run, predicted[i].slack, i)),
)}

${table(
  ['run', 'layout', 'part', 'a step, median [95 %]', 'simulated, ms', 'error'],
  predicted.flatMap(({ steps }, i) => steps.map(step => stepCells(step, i))),
)}

No number of the three predicted layouts goes in. Goal: 10 %. ${verdict(predicted.flatMap(({ steps }) => steps))}

${HISTORY}`;
}

function constants({ crowd, layouts }: Measured, slack: Slack, index: number): string[] {
  const { fixedMs, endMs, byteMs } = crowdedCost(crowd);
  const others = layouts.filter(({ ranks }) => ranks.length > 1).flatMap(layout => layout.others);
  const delay = ({ delayMs, delayMsPerMb }: Delay) =>
    `${delayMs.toFixed(2)} ms, ${delayMsPerMb.toFixed(1)} ms/MB`;
  return [
    String(index + 1),
    `${medianEstimate(others).value.toFixed(2)}, at most ${Math.max(...others).toFixed(2)}`,
    `× ${slack.slowness.toFixed(2)}`,
    delay(slack),
    delay(slack.crowded),
    `${fixedMs.toFixed(2)} ms, ${endMs.toFixed(2)} ms a message, ${(byteMs * 1e6).toFixed(2)} ms/MB`,
  ];
}

function stepCells({ name, fitted, measuredMs, simulatedMs }: SmallStep, index: number): string[] {
  const seen = medianEstimate(measuredMs);
  const part = fitted ? (name === '1 × 1 × 1' ? 'not used' : 'fitted on') : '**predicted**';
  return [
    String(index + 1),
    name,
    part,
    shown(seen, 1, 0, 'ms'),
    simulatedMs.toFixed(0),
    percent(simulatedMs / seen.value - 1),
  ];
}

const GOAL = 0.1;

function verdict(steps: readonly SmallStep[]): string {
  const off = steps
    .filter(({ fitted }) => !fitted)
    .map(({ simulatedMs, measuredMs }) => simulatedMs / medianEstimate(measuredMs).value - 1);
  const inside = off.filter(each => Math.abs(each) <= GOAL).length;
  return `**${inside} of ${off.length} predictions are within it**; they are off by ${percent(Math.min(...off))} to ${percent(Math.max(...off))}.`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).replace('-', '−')} %`;
}

/** What was tried before, which the form of the model is not independent of. */
const HISTORY = `Runs 4, 5 and 6 had the machine to themselves (others at most 0.08 of a processor, no step dropped, no priority), one after the other, after the form had been
set. **There 7 of 9 predictions are within the goal: DP 2 × CP 2 takes longer than is said, by 11 and 13 %**; of the nine seven are
below what was measured. What is missing is not known; that four ranks share caches in which two had more room was not measured.

Runs 1 to 3 had not: ranks went before other programs (\`nice -n -20\`), which had what ranks left free while they waited. Steps in which others had more than
0.6 of a processor are dropped, whatever they took (others had the same priority then), and a run counts that has four steps of every layout left. Three runs do not count (2 to 10
steps of a layout left): the steps that they have left give −20.2 % for CP 2 × PP 2 (median 1208 ms), −10.7 % for DP 2 × CP 2 and 0.5 % for EP 4 together. (The limit was 0.6
at first, 1.2 for these three, and 0.6 again once they had been seen.)

The *form* of the model is not innocent of the layouts that it predicts, though none of their numbers is in it. Each form was set before the runs that checked it; errors for
CP 2 × PP 2, DP 2 × CP 2 and EP 4:

- without the three numbers about −16 % on all, as on the layouts of two, by which they were added;
- messages of four ranks as those of two: −7.1, −7.7, −7.1 % and −11.9, −9.5, −8.2 % on a quiet machine (DP 2 at 611 and 702 ms);
- exchanges of four ranks at their cost, but the delays of two: −16.3, −11.9, −13.2 % and −7.5, −6.3, −6.9 %, others at work;
- delays of four ranks too: the runs above.`;
