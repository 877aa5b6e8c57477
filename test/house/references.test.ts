import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

// What a comment or a document refers to is in the repository: files by their path, sections by their number.
const TEXT = /\.(ts|js|grit|cpp|h|cu|cuh|py|md|sh|yaml|yml|json|html|css)$/;
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => TEXT.test(path) && !/^(models|test\/fixtures|web\/vendor)\/|lock\.json$/.test(path));

/** A document followed by one or more sections: `docs/spec/model.md §5.3, §6.1`. */
const SECTIONS = /([\w./-]+\.md) (§\d[\w.]*(?:(?:,| and|–) ?§\d[\w.]*)*)/g;
/** A section without its document, which leads nowhere; `report §6` and an RFC's are somebody else's. */
const BARE = /(?<!\.md |§[\w.]*, ?|§[\w.]* and |–|report |paper |RFC \d+ )§\d[\w.]*/g;

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const sectionsOf = new Map<string, Set<string>>();

function sections(document: string): Set<string> {
  let known = sectionsOf.get(document);
  if (!known) {
    known = new Set([...read(document).matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(match => match[1]));
    sectionsOf.set(document, known);
  }
  return known;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Inside docs/spec a neighbour is named without its folder. */
function documentAt(path: string, from: string): string | undefined {
  return [path, join(dirname(from), path)].map(normalize).find(existsSync);
}

describe('references', () => {
  it('name sections that exist', () => {
    const lost: string[] = [];
    for (const path of files) {
      const text = read(path);
      for (const match of text.matchAll(SECTIONS)) {
        const document = documentAt(match[1], path);
        for (const [, number] of match[2].matchAll(/§(\d+(?:\.\d+)*)/g)) {
          if (!document || !sections(document).has(number)) {
            lost.push(`${path}:${lineOf(text, match.index)} ${match[1]} §${number}`);
          }
        }
      }
    }
    expect(lost).toEqual([]);
  });

  it('say which document a section is of', () => {
    const bare = files
      .filter(path => !path.startsWith('docs/spec/') && path !== 'test/house/references.test.ts')
      .flatMap(path => {
        const text = read(path);
        return [...text.matchAll(BARE)].map(match => `${path}:${lineOf(text, match.index)} ${match[0]}`);
      });
    expect(bare).toEqual([]);
  });

  it('link to files that exist', () => {
    const broken = files
      .filter(path => path.endsWith('.md'))
      .flatMap(path =>
        [...read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
          .filter(([, target]) => !existsSync(join(dirname(path), target)))
          .map(([, target]) => `${path} → ${target}`),
      );
    expect(broken).toEqual([]);
  });

  it('do not lead out of the repository', () => {
    const outside = files
      .filter(path => path !== 'test/house/references.test.ts')
      .filter(path => /(^|[^/\w])(design\.md|(?<!docs\/)spec\/[a-z-]+\.md|\.\.\/shared)/.test(read(path)));
    expect(outside).toEqual([]);
  });
});
