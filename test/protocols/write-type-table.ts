import { readFileSync, writeFileSync } from 'node:fs';
import { liveTypeTable } from './live-type-table.ts';
import { typeTable, withTable } from './type-table.ts';

for (const [room, table] of [
  ['realtime', typeTable()],
  ['live', liveTypeTable()],
]) {
  const readme = `protocols/${room}/README.md`;
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), table));
}
