/** The first bundle's step as a Gantt chart: a page that needs nothing else, or a trace for ui.perfetto.dev. */
import { readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import type { TrainingResult } from '../../sim/training/index.ts';
import { escapeHtml } from './charts.ts';
import { REPORT_CSS } from './report-css.ts';
import { trainingText } from './training-text.ts';

const WIDTH = 1400;
const LEFT = 90;
const ROW = 22;
const COLOURS: Readonly<Record<string, number>> = {
  forward: 4,
  backward: 3,
  weights: 7,
  encode: 2,
  'encode back': 1,
  bridge: 5,
  'encoder weights': 6,
  'encoder gradients': 6,
  update: 0,
};

export function trainingHtml(results: readonly TrainingResult[]): string {
  const css =
    readFileSync(`${PACKAGE_ROOT}web/theme.css`, 'utf8') +
    readFileSync(`${PACKAGE_ROOT}web/waterfall.css`, 'utf8');
  const head =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Training</title>';
  const wide = 'main{max-width:90rem}.chart svg{min-width:60rem}pre{overflow-x:auto;font-size:0.8125rem}';
  const parts = results.map(result => {
    const about = escapeHtml(result.scenario.about.trim());
    return `<section><h2>${escapeHtml(result.scenario.name)}</h2><p class="about">${about}</p><pre>${escapeHtml(trainingText([result]))}</pre>${gantt(result)}</section>`;
  });
  return `<!doctype html><html lang="en"><head>${head}<style>${css}${REPORT_CSS}${wide}</style></head><body><main><h1>Training, simulated</h1>${parts.join('')}</main></body></html>\n`;
}

function gantt({ example }: TrainingResult): string {
  const { spans, names, ms } = example;
  const x = (at: number) => LEFT + (at / ms) * (WIDTH - LEFT - 10);
  const rows = names.map(
    (name, row) => `<text x="${LEFT - 6}" y="${row * ROW + 15}" text-anchor="end">${escapeHtml(name)}</text>`,
  );
  const bars = spans.map(({ rank, label, microBatch, startMs, endMs }) => {
    const title = `${label}${microBatch === null ? '' : ` ${microBatch}`}: ${(endMs - startMs).toFixed(1)} ms`;
    const width = Math.max(0.3, x(endMs) - x(startMs) - 0.15);
    const box = `x="${x(startMs).toFixed(2)}" y="${rank * ROW + 3}" width="${width.toFixed(2)}" height="${ROW - 5}"`;
    return `<rect ${box} fill="var(--waterfall-${COLOURS[label] ?? 0})"><title>${escapeHtml(title)}</title></rect>`;
  });
  const labels = [...new Set(spans.map(({ label }) => label))];
  const legend = labels.map(
    label =>
      `<li><i style="background:var(--waterfall-${COLOURS[label] ?? 0})"></i>${escapeHtml(label)}</li>`,
  );
  const height = names.length * ROW + 24;
  const axis = `<text x="${LEFT}" y="${height - 6}">0 s</text><text x="${WIDTH - 10}" y="${height - 6}" text-anchor="end">${(ms / 1000).toFixed(2)} s</text>`;
  const drawing = [...rows, ...bars, axis].join('');
  return `<div class="chart"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Stages over time">${drawing}</svg></div><ul class="legend">${legend.join('')}</ul>`;
}

/** Chrome's Trace Event Format; each scenario is a process, each stage a thread. */
export function trainingTrace(results: readonly TrainingResult[]): string {
  const events = results.flatMap(({ scenario, example }, process) => [
    { ph: 'M', name: 'process_name', pid: process, args: { name: scenario.name } },
    ...example.names.map((name, thread) => ({
      ph: 'M',
      name: 'thread_name',
      pid: process,
      tid: thread,
      args: { name },
    })),
    ...example.spans.map(({ rank, label, microBatch, startMs, endMs }) => ({
      ph: 'X',
      cat: 'training',
      pid: process,
      tid: rank,
      name: microBatch === null ? label : `${label} ${microBatch}`,
      ts: Math.round(startMs * 1000),
      dur: Math.round((endMs - startMs) * 1000),
    })),
  ]);
  return `[\n${events.map(event => JSON.stringify(event)).join(',\n')}\n]\n`;
}
