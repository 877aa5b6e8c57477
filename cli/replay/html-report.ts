/** Before and after as one file; looks and waterfalls are those of the live page (web/). */
import { readFileSync } from 'node:fs';
import type { TurnTrace } from '../../actors/session-api.ts';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { scaleOf, waterfallHtml } from '../../web/waterfall.js';
import { escapeHtml } from '../sim/charts.ts';
import { REPORT_CSS } from '../sim/report-css.ts';
import type { ComparedTurn } from './comparison.ts';
import { latencyMs } from './text-report.ts';

const web = (file: string) => readFileSync(`${PACKAGE_ROOT}web/${file}`, 'utf8');

/** @param summary what the terminal says */
export function replayHtml(
  title: string,
  summary: string,
  turns: readonly ComparedTurn[],
  startMs: number,
): string {
  const style = `<style>${web('theme.css')}${web('waterfall.css')}${REPORT_CSS}pre { overflow-x: auto; font-size: 0.8125rem; }</style>`;
  const name = escapeHtml(title);
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${name}</title>`;
  const totals = turns
    .flatMap(({ before, after }) => [before, after])
    .map(turn => turn?.waterfall?.totalMs ?? 0);
  const scaleMs = scaleOf(totals);
  const parts = [
    `<h1>${name}</h1>`,
    `<section><h2>Summary</h2><pre>${escapeHtml(summary)}</pre></section>`,
    ...turns.map(turn => turnHtml(turn, startMs, scaleMs)),
  ];
  return `<!doctype html><html lang="en"><head>${head}${style}</head><body><main>${parts.join('\n')}</main></body></html>\n`;
}

function turnHtml({ session, before, after }: ComparedTurn, startMs: number, scaleMs: number): string {
  const { turn, timeline, userTranscript } = (before ?? after)!;
  const silentAt = timeline.speechEnd;
  const when = silentAt === null ? '' : `, user silent at ${((silentAt - startMs) / 1000).toFixed(2)} s`;
  const [old, now] = [latencyMs(before), latencyMs(after)];
  const change =
    old === null || now === null ? '' : ` <small>${now > old ? '+' : ''}${(now - old).toFixed(1)} ms</small>`;
  return [
    `<section><h2>Turn ${turn}${change}</h2>`,
    `<p class="note">${escapeHtml(session)}${when}${userTranscript ? ` · “${escapeHtml(userTranscript)}”` : ''}</p>`,
    side('Before', before, scaleMs),
    side('After', after, scaleMs),
    '</section>',
  ].join('\n');
}

function side(title: string, trace: TurnTrace | null, scaleMs: number): string {
  if (trace === null) return `<h3>${title}</h3><p class="empty">No such turn.</p>`;
  const said = `<h3>${title} <small>${escapeHtml(trace.text || 'nothing said')}</small></h3>`;
  return (
    said +
    (waterfallHtml(trace, scaleMs).replace('<details ', '<details open ') ||
      '<p class="empty">No answer.</p>')
  );
}
