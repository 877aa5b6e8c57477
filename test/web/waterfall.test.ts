import { expect, test } from 'vitest';
import { waterfallHtml } from '../../web/waterfall.js';

const account = {
  entries: [
    { cause: 'endpointing', ms: 600 },
    { cause: 'decode', ms: 90 },
    { cause: 'first.heard', ms: 10 },
  ],
  totalMs: 700,
};

function rows(html: string) {
  const pattern = /waterfall-cause">([^<]*)<.*?left:([\d.]+)%;width:([\d.]+)%/g;
  return [...html.matchAll(pattern)].map(([, cause, left, width]) => ({
    cause,
    left: Number(left),
    width: Number(width),
  }));
}

test('each cause begins where the one before it ends, and the last ends at the total', () => {
  const drawn = rows(waterfallHtml({ waterfall: account }));
  expect(drawn.map(row => row.cause)).toEqual(['endpointing', 'decode', 'play-out']);
  expect(drawn[0].left).toBe(0);
  for (let i = 1; i < drawn.length; i++) {
    expect(drawn[i].left).toBeCloseTo(drawn[i - 1].left + drawn[i - 1].width, 2);
  }
  expect(drawn[2].left + drawn[2].width).toBeCloseTo(100, 2);
});

test('the causes of the pipeline have colours of their own', () => {
  const causes = [
    'endpointing',
    'audio encoding',
    'vision encoding',
    'prefill',
    'decode',
    'vocoder',
    'gate',
    'first.heard',
  ];
  const entries = causes.map(cause => ({ cause, ms: 1 }));
  const html = waterfallHtml({ waterfall: { entries, totalMs: 8 } });
  expect(new Set(html.match(/--waterfall-\d/g)).size).toBe(8);
});

test('a turn without an account draws nothing', () => {
  expect(waterfallHtml({ waterfall: null })).toBe('');
});

test('an account of zero milliseconds is drawn', () => {
  const html = waterfallHtml({ waterfall: { entries: [{ cause: 'gate', ms: 0 }], totalMs: 0 } });
  expect(html).toContain('0 ms');
  expect(html).not.toContain('NaN');
});

test('causes are text, never markup', () => {
  const entries = [{ cause: '<img src=x onerror="alert(1)">', ms: 5 }];
  expect(waterfallHtml({ waterfall: { entries, totalMs: 5 } })).not.toMatch(/<img|"alert/);
});

test('interruption and speculation are told in words', () => {
  const html = waterfallHtml({
    waterfall: account,
    heardMs: 2500,
    interrupted: true,
    speculations: 2,
    rollbacks: 1,
  });
  expect(html).toContain('2.5 s heard · interrupted · started early 2 times, taken back once');
});
