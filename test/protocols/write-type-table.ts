import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { liveTypeTable } from './live-type-table.ts';
import { typeTable, withTable } from './type-table.ts';

new Command('npm run type-table')
  .description("Writes the tables of openai's types into protocols/realtime and protocols/live.")
  .parse();

for (const [room, table] of [
  ['realtime', typeTable()],
  ['live', liveTypeTable()],
]) {
  const readme = `protocols/${room}/README.md`;
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), table));
}
