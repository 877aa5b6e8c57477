import { readFileSync, writeFileSync } from 'node:fs';
import { withTable } from './type-table.ts';

const README = 'protocols/realtime/README.md';
writeFileSync(README, withTable(readFileSync(README, 'utf8')));
