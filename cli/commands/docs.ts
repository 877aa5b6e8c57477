import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { configurationDocument } from '../config/document.ts';

/** `longcat-rt docs`: writes the generated pages. */
export function docsCommand(): Command {
  return new Command('docs')
    .description('Write docs/configuration.md from the configuration schema.')
    .option('--out <file>', 'where to', 'docs/configuration.md')
    .addHelpText('after', '\nExample:\n  longcat-rt docs')
    .action(({ out }: { out: string }) => writeFileSync(out, configurationDocument()));
}
