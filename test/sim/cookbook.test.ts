/** docs/cookbook.md shows the scenarios that are shipped, in a few lines each. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const MOST_LINES = 24;
const page = readFileSync('docs/cookbook.md', 'utf8');
const questions = page.split(/^## /m).slice(1);

describe('the cookbook', () => {
  it('answers thirteen questions', () => expect(questions).toHaveLength(13));

  it.each(questions.map(question => [question.split('\n')[0], question]))('%s', (_title, question) => {
    const scenario = /```yaml\n([\s\S]*?)```/.exec(question)![1];
    const [, file] = /^longcat-rt sim (?:compare )?(sim\/scenarios\/ask-[a-z]+\.yaml)/m.exec(question)!;
    expect(existsSync(file), file).toBe(true);
    expect(scenario).toBe(readFileSync(file, 'utf8'));
    expect(scenario.trimEnd().split('\n').length).toBeLessThanOrEqual(MOST_LINES);
  });
});
