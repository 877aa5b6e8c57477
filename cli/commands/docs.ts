import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { configurationDocument } from '../config/document.ts';
import { scenarioDocument } from '../sim/scenario-document.ts';

/** `longcat-rt docs`: writes the generated pages. */
export function docsCommand(command: Command): Command {
  return command
    .option('--out <folder>', 'where to', 'docs')
    .addHelpText('after', '\nExample:\n  longcat-rt docs')
    .action(({ out }: { out: string }) => {
      writeFileSync(join(out, 'configuration.md'), configurationDocument());
      writeFileSync(join(out, 'scenarios.md'), scenarioDocument());
    });
}
