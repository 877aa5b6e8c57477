import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';

// The style guide as a test (ARCHITECTURE.md §2, docs/spec/style-examples.md §2). Biome's lint covers imports and
// clocks.
const MAX_LINES = 400;
const MAX_COLUMNS = 120;
/** A string, a template or a drawing is not broken for the sake of a line. */
const MAX_COLUMNS_OF_TEXT = 200;

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => /\.(ts|js|cpp|h|cu|py)$/.test(path) && !path.includes('/vendor/'));

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Deleted in the working tree, not yet in the index.
  }
}

describe('the house', () => {
  it('keeps every file under the limit', () => {
    const long = tracked.filter(path => text(path).split('\n').length > MAX_LINES);
    expect(long).toEqual([]);
  });

  it('keeps lines readable', () => {
    const isComment = (line: string) => /^\s*(\/\/|\/?\*|#)/.test(line);
    const isWide = (line: string, path: string) => {
      const isText = !isComment(line) && (/\.[tj]s$/.test(path) || /["'].{60}/.test(line));
      return line.length > (isText || /[─│]/.test(line) ? MAX_COLUMNS_OF_TEXT : MAX_COLUMNS);
    };
    const wide = tracked.flatMap(path =>
      text(path)
        .split('\n')
        .flatMap((line, index) => (isWide(line, path) ? [`${path}:${index + 1}`] : [])),
    );
    expect(wide).toEqual([]);
  });

  it('names files in kebab-case', () => {
    const odd = tracked.filter(
      path => /\.(ts|js)$/.test(path) && !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(basename(path)),
    );
    expect(odd).toEqual([]);
  });

  it('lets index.ts only re-export', () => {
    const isReExport = (line: string) =>
      /^(export (type )?(\*|\{)|import type|\s+[\w ,]+,?$|\} from|\s*(\/\*\*|\*|\/\/)|\s*$)/.test(line);
    const busy = tracked
      .filter(path => /^(actors|protocols|sim)\/.*index\.ts$/.test(path))
      .filter(path => !text(path).split('\n').every(isReExport));
    expect(busy).toEqual([]);
  });

  it('finds what is shipped beside the code from the package root, which compiled code has too', () => {
    const code = /kernels\/(package-root|engine\/|native\/(cuda\/)?addon)/;
    const near = tracked
      .filter(path => /^(actors|kernels|protocols|sim|cli)\/.*\.ts$/.test(path) && !code.test(path))
      .filter(path => text(path).includes('import.meta.url'));
    expect(near).toEqual([]);
  });

  // What catches a hang must not catch a busy machine: one that is ten times slower passes too.
  it('has tests that wait long: 20 s for a condition, two minutes for a test', () => {
    const hasty = (line: string) => {
      const ms = (pattern: RegExp) => Number(pattern.exec(line)?.[1].replaceAll('_', '') ?? Number.NaN);
      return (
        (ms(/\btimeout: (\d[\d_]*)(?![\d_]| \*)/) < 20_000 && !line.includes('.catch(')) ||
        ms(/^\s*\}, (\d+_000)\);$/) < 120_000
      );
    };
    const found = tracked
      .filter(path => path.startsWith('test/') && path.endsWith('.ts'))
      .flatMap(path =>
        text(path)
          .split('\n')
          .flatMap((line, index) => (hasty(line) ? [`${path}:${index + 1}`] : [])),
      );
    expect(found).toEqual([]);
  });

  // Otherwise `npm run build:binary -- --help` compiles for minutes, and a misspelt option ends in a stack or is not
  // noticed.
  it('has scripts and benchmarks that know --help and refuse what they do not know', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const ofNpm = ['kernels/native/install.js', 'cli/build.js', 'cli/longcat-rt.js'];
    const programs = Object.values(scripts).flatMap(script => /\S+\.[jt]s\b/.exec(script) ?? []);
    const benchmarks = tracked.filter(path => /^bench\/[^/]+\.ts$/.test(path));
    const deaf = [...programs, ...benchmarks]
      .filter(path => !ofNpm.includes(path))
      .filter(path => !text(path).includes('new Command(') || text(path).includes('parseArgs'));
    expect(deaf).toEqual([]);
  });

  it('has no script that npm runs beside another unasked: `prebuild` would come before every `build`', () => {
    const names = Object.keys((JSON.parse(text('package.json')) as { scripts: object }).scripts);
    expect(names.filter(name => names.some(other => [`pre${other}`, `post${other}`].includes(name)))).toEqual(
      [],
    );
  });

  it('leaves nothing marked as unfinished', () => {
    const marks = tracked
      .filter(path => !path.startsWith('test/'))
      .filter(path => /\b(TODO|FIXME|XXX|NotImplemented)\b/.test(text(path)));
    expect(marks).toEqual([]);
  });
});
