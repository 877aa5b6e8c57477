import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scaleOf, waterfallHtml } from '../../web/waterfall.js';

const SCALE_MS = 1000;
const account = {
  entries: [
    { cause: 'endpointing', ms: 600 },
    { cause: 'decode', ms: 90 },
    { cause: 'first.heard', ms: 10 },
  ],
  totalMs: 700,
};

function rows(html: string) {
  const pattern =
    /waterfall-cause"><b>([^<]*)<\/b> ([^<]*)<.*?viewBox="0 0 (\d+) 8".*? x="([\d.]+)" width="([\d.]+)"/g;
  return [...html.matchAll(pattern)].map(([, cause, words, scale, left, width]) => ({
    cause,
    words,
    scale: Number(scale),
    left: Number(left),
    width: Number(width),
  }));
}

test('each cause begins where the one before it ends, and the last ends at the total', () => {
  const drawn = rows(waterfallHtml({ waterfall: account }, SCALE_MS));
  expect(drawn.map(row => row.cause)).toEqual(['endpointing', 'decode', 'play-out']);
  expect(drawn[0].left).toBe(0);
  for (let i = 1; i < drawn.length; i++) {
    expect(drawn[i].left).toBeCloseTo(drawn[i - 1].left + drawn[i - 1].width, 2);
  }
  expect(drawn[2].left + drawn[2].width).toBeCloseTo(700, 2);
});

test('bars of one scale are as long as their times: 51 ms is not 301 ms', () => {
  const bar = (ms: number) =>
    rows(
      waterfallHtml({ waterfall: { entries: [{ cause: 'decode', ms }], totalMs: ms } }, scaleOf([51, 301])),
    )[0];
  expect([bar(51).scale, bar(301).scale]).toEqual([500, 500]);
  expect([bar(51).width, bar(301).width]).toEqual([51, 301]);
});

test.each([
  [[], 500],
  [[51, 301], 500],
  [[501], 1000],
  [[999.9, 20], 1000],
  [[1200], 2000],
  [[4800], 5000],
  [[612_000], 612_000],
])('the scale of %j is %i ms', (totals, scale) => {
  // Beyond the longest end of a scale the longest bar is the scale.
  expect(scaleOf(totals)).toBe(scale);
});

test('the causes of the pipeline have colours of their own and are told in plain words', () => {
  const causes = [
    'endpointing',
    'packet',
    'jitter buffer',
    'audio encoding',
    'vision encoding',
    'prefill',
    'decode',
    'vocoder',
    'gate',
    'first.heard',
    'uplink',
  ];
  const entries = causes.map(cause => ({ cause, ms: 1 }));
  const html = waterfallHtml({ waterfall: { entries, totalMs: 11 } }, SCALE_MS);
  const colours = new Set(html.match(/waterfall-\d+/g));
  expect(colours.size).toBe(11);
  // Without a rule a bar is black, and not to be seen in the dark.
  const [looks, theme] = ['waterfall', 'theme'].map(name => readFileSync(`web/${name}.css`, 'utf8'));
  for (const colour of colours) {
    expect(looks).toContain(`.${colour} {\n  fill: var(--${colour});`);
    expect(theme).toContain(`--${colour}: light-dark(`);
  }
  for (const { words } of rows(html)) expect(words.split(' ').length).toBeGreaterThan(3);
});

test('nothing is styled inline, so that the page can forbid it', () => {
  const html = waterfallHtml({ waterfall: account, interrupted: true, heardMs: 1 }, SCALE_MS);
  expect(html).not.toMatch(/style=/);
});

test('a turn without an account draws nothing', () => {
  expect(waterfallHtml({ waterfall: null }, SCALE_MS)).toBe('');
});

test('an account of zero milliseconds is drawn', () => {
  const html = waterfallHtml({ waterfall: { entries: [{ cause: 'gate', ms: 0 }], totalMs: 0 } }, SCALE_MS);
  expect(html).toContain('0 ms');
  expect(html).not.toContain('NaN');
});

test('causes are text, never markup', () => {
  const entries = [{ cause: '<img src=x onerror="alert(1)">', ms: 5 }];
  expect(waterfallHtml({ waterfall: { entries, totalMs: 5 } }, SCALE_MS)).not.toMatch(/<img|"alert/);
});

test('interruption, speculation and the scale are told in words', () => {
  const told = { heardMs: 2500, interrupted: true, speculations: 2, rollbacks: 1 };
  const html = waterfallHtml({ waterfall: account, ...told }, 2000);
  expect(html).toContain('2.5 s heard · interrupted · started early 2 times, taken back once');
  expect(html).toContain('a whole bar is 2 s');
});

test('the line’s own delays stand beside the account, and are no part of it', () => {
  const network = { roundTripMs: 24, hereMs: 61, thereMs: null };
  const drawn = rows(waterfallHtml({ waterfall: account, network }, SCALE_MS));
  expect(drawn.map(row => row.cause)).toEqual([
    ...['endpointing', 'decode', 'play-out'],
    ...['round trip', 'jitter buffer here'],
  ]);
  expect(drawn.slice(3).map(({ left, width }) => [left, width])).toEqual([
    [0, 24],
    [0, 61],
  ]);
  expect(waterfallHtml({ waterfall: account, network }, SCALE_MS)).toContain('<b>700 ms</b> to first sound');
});
