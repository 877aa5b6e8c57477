import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { RuntimeError } from '../../kernels/errors.ts';
import { holds } from '../../sim/validation/check.ts';
import { conversationFigures, VALIDATION_SCENARIOS } from '../../sim/validation/conversations.ts';
import { publishedGroups } from '../../sim/validation/published.ts';
import { theoryChecks } from '../../sim/validation/theory.ts';
import { progressBar } from '../sim/progress-bar.ts';
import { publishedText, validationPage } from '../sim/validation-page.ts';
import {
  PAGE_FILE,
  readRecord,
  readShipped,
  scenarioHash,
  type ValidationRecord,
  writeRecord,
} from '../sim/validation-record.ts';

/** `longcat-rt sim validate`: published figures beside ours; `--write` simulates everything and writes the page. */
export function simValidateCommand(): Command {
  return new Command('validate')
    .description('Compare the simulator with published figures; --write renews docs/validation.md (minutes).')
    .option('--write', 'simulate the shipped scenarios as well and write the page')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  longcat-rt sim validate')
    .action(validate);
}

async function validate({ write, json }: { write?: boolean; json?: boolean }): Promise<void> {
  const groups = publishedGroups();
  if (write) {
    const record = await renew();
    writeRecord(record);
    writeFileSync(PAGE_FILE, validationPage(groups, readRecord()!));
  }
  console.log(json ? JSON.stringify(groups, null, 2) : publishedText(groups));
  const missed = groups.flatMap(({ checks }) => checks.filter(check => !holds(check)));
  if (missed.length === 0) return;
  const values = { missed: missed.map(({ quantity }) => quantity).join('; ') };
  throw new RuntimeError('validation.missed', 'Figures are further off than they may be.', values);
}

/** Everything that is simulated, new; what was measured on a machine stays. */
async function renew(): Promise<ValidationRecord> {
  const bar = progressBar();
  try {
    const theory = theoryChecks();
    const conversations = await conversationFigures(readShipped, share => bar.update(share));
    const scenarios = Object.fromEntries(VALIDATION_SCENARIOS.map(stem => [stem, scenarioHash(stem)]));
    const known = (estimate: { n: number; value: number; interval: readonly [number, number] | null }) => ({
      n: estimate.n,
      value: Number.isNaN(estimate.value) ? null : estimate.value,
      interval: estimate.interval as [number, number] | null,
    });
    return {
      theory: theory.map(check => ({ ...check, simulated: known(check.simulated) })),
      conversations: conversations.map(figure => ({ ...figure, estimate: known(figure.estimate) })),
      scenarios,
      speed: readRecord()?.speed ?? null,
      live: readRecord()?.live ?? null,
      coverage: readRecord()?.coverage ?? null,
      replayed: readRecord()?.replayed ?? null,
    };
  } finally {
    bar.stop();
  }
}
