/** What the report adds to the looks of the live page. */
export const REPORT_CSS = `
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2 { overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 1rem; font-size: 1.25rem; }
h3 { margin: 2rem 0 0.75rem; font-size: 1rem; }
small { margin-left: 0.5rem; color: var(--muted); font-size: 0.8125rem; font-weight: 400; }
.about { margin-top: 0.75rem; color: var(--muted); white-space: pre-line; }
section { margin-top: 2rem; padding: 1.5rem; border: 1px solid var(--line); border-radius: 0.75rem; background: var(--raised); }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th { color: var(--muted); font-weight: 500; text-align: right; }
td, th { padding: 0.25rem 0 0.25rem 0.75rem; }
td { border-top: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
.table { overflow-x: auto; }
/* A figure stays on its line; what has many of them scrolls. */
.table td:nth-child(2), .wide td { white-space: nowrap; }
/* Bars of one scale are of one length. */
.waterfall-total { min-width: 11rem; text-align: right; }
.note, .turn, .empty { margin-top: 0.75rem; color: var(--muted); font-size: 0.8125rem; }
.waterfall-bar { max-width: none; }
.waterfall + details { margin-top: 0.5rem; color: var(--muted); font-size: 0.8125rem; }
.waterfall + details table { color: var(--ink); }
@media (max-width: 40rem) { main { padding: 1rem 0.5rem 3rem; } section { padding: 1rem 0.75rem; } svg { min-width: 30rem; } }
/* A picture keeps its letters readable; a narrow screen scrolls it. */
.chart { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 36rem; height: auto; font: 11px var(--font); fill: var(--muted); }
svg .axis, svg .mark { stroke: var(--muted); }
svg .mark { stroke-dasharray: 3 3; }
svg .bounds { stroke: var(--agent); opacity: 0.5; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.25rem 0 1rem; color: var(--muted); font-size: 0.8125rem; }
.legend i { display: inline-block; width: 0.625rem; height: 0.625rem; margin-right: 0.375rem; border-radius: 2px; }
`;
