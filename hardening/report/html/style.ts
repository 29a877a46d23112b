/** The whole style sheet. No `style` attribute anywhere: the page's policy lets no other style in. */
export const STYLE = `
:root {
  --paper: #fff; --panel: #f4f6f8; --line: #d3dae1; --ink: #1b2127; --soft: #55606b; --link: #0b5394;
  --good: #17692f; --bad: #b3261e; --warn: #8a4f00; --calm: #0b5394;
  --good-fill: #3a9d5d; --bad-fill: #d5463c; --warn-fill: #e0962b; --calm-fill: #5b93c9; --rest-fill: #b9c2cb;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --panel: #1e242a; --line: #3a444e; --ink: #e9edf1; --soft: #adb7c1; --link: #8fc4f6;
    --good: #78d396; --bad: #ff9d93; --warn: #f3bb62; --calm: #8fc4f6; --rest-fill: #5a646e;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { margin: .5rem 0; }
a { color: var(--link); }
code { font: .875em/1.4 ui-monospace, "SF Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; background: var(--panel); padding: .1em .3em; border-radius: 3px; }
.kicker { margin: 0; color: var(--soft); font-size: .875rem; text-transform: uppercase; letter-spacing: .06em; }
.name, .id { font-family: ui-monospace, "SF Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: .9em; }
.soft, .zero { color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.fitness { margin: 0 0 1rem; padding: .75rem 1.25rem; border-left: 6px solid var(--bad); background: var(--panel); font-size: 1.15rem; font-weight: 600; }
.fitness.pass { border-left-color: var(--good); }
.headline { display: grid; grid-template-columns: auto 1fr; gap: 1.5rem; align-items: center; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem; }
.score { margin: 0; text-align: center; line-height: 1.1; }
.score strong { display: block; font-size: 3.25rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.score span { color: var(--soft); font-size: .875rem; }
.outcome { margin: 0 0 .5rem; font-weight: 600; }
.bar { display: block; width: 100%; height: .75rem; border-radius: 4px; }
.bar .pass { fill: var(--good-fill); } .bar .fail { fill: var(--bad-fill); } .bar .error { fill: var(--warn-fill); }
.bar .waived, .bar .manual { fill: var(--calm-fill); } .bar .not-applicable { fill: var(--rest-fill); }
.counts { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .9rem; }
.counts strong { font-variant-numeric: tabular-nums; }
.pass > strong, .badge.pass, .check-link.pass > span:first-child, td.pass { color: var(--good); }
.fail > strong, .badge.fail, .check-link.fail > span:first-child, td.fail { color: var(--bad); }
.error > strong, .badge.error, .check-link.error > span:first-child, td.error { color: var(--warn); }
.waived > strong, .badge.waived, .manual > strong, .badge.manual { color: var(--calm); }
.badge.not-applicable, .not-applicable > strong { color: var(--soft); }
td.fail, td.error { font-weight: 700; }
.facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem 1rem; margin: 1rem 0; }
.facts dt, .digests dt { color: var(--soft); font-size: .8125rem; }
.facts dd, .digests dd { margin: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: 1rem 0 0; list-style: none; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .8125rem; font-weight: 600; }
tbody th { font-weight: 500; }
.numbers { width: auto; min-width: 60%; }
.numbers td, .numbers th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.scroll { overflow-x: auto; }
th, .clauses td { overflow-wrap: break-word; }
.clauses tbody th { white-space: nowrap; }
.clauses td:nth-child(2) { min-width: 11rem; }
.clauses td:nth-child(3), .clauses td:nth-child(4) { white-space: nowrap; }
.check-link { white-space: nowrap; text-decoration: none; font-family: ui-monospace, "SF Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: .8125rem; }
.check-link:hover, .check-link:focus { text-decoration: underline; }
.links .check-link { display: inline-block; margin-right: .6rem; }
.of { font-size: .8125rem; } .rule { font-size: .875rem; } .rule.addressable { color: var(--soft); }
.badge { display: inline-block; white-space: nowrap; font-weight: 600; font-size: .875rem; }
.severity { font-size: .8125rem; color: var(--soft); }
.severity.critical, .severity.high { color: var(--ink); font-weight: 600; }
.priorities .severity.critical, .priorities .severity.high { color: var(--bad); }
.priorities { counter-reset: thing; padding: 0; list-style: none; } .priorities li { counter-increment: thing; display: grid; grid-template-columns: minmax(1.5rem, max-content) 1fr; gap: 0 .5rem; margin-bottom: .75rem; }
.priorities li::before { content: counter(thing) "."; text-align: right; white-space: nowrap; overflow-wrap: normal; } .priorities p { grid-column: 2; margin: 0; min-width: 0; }
.part { font-weight: 600; } .part-of { font-size: .8125rem; }
.ends { font-size: .9rem; }
.blind { padding-left: 1.25rem; } .blind li { margin-bottom: .5rem; }
.check { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; }
.check > summary { display: grid; grid-template-columns: 8.5rem 1fr auto; gap: .25rem .75rem; align-items: baseline; padding: .5rem .75rem; cursor: pointer; list-style: none; }
.check > summary::-webkit-details-marker { display: none; }
.check > summary:hover, .check[open] > summary { background: var(--panel); }
.check .title { font-weight: 500; }
.meta { white-space: nowrap; }
.body { padding: .25rem .75rem .75rem; scroll-margin-top: 4rem; border-top: 1px solid var(--line); }
.body dl { margin: .5rem 0 0; }
.body dl > div { display: grid; grid-template-columns: 8.5rem 1fr; gap: 0 .75rem; padding: .2rem 0; }
.body dt { color: var(--soft); font-size: .875rem; }
.body dd { margin: 0; min-width: 0; white-space: pre-line; }
.body dd ul { margin: 0; padding: 0; list-style: none; white-space: normal; }
.subjects .fail::before { content: "\\2717\\a0"; color: var(--bad); }
.subjects .pass::before { content: "\\2713\\a0"; color: var(--good); }
.subjects .error::before { content: "?\\a0"; color: var(--warn); }
.outcome-failed { color: var(--warn); font-weight: 600; }
.chart { display: block; width: 100%; height: auto; max-width: 45rem; }
.chart .grid { stroke: var(--line); } .chart .line { fill: none; stroke: var(--calm); stroke-width: 2; }
.chart .point { fill: var(--calm); } .chart text { fill: var(--soft); font-size: 13px; } .chart .last { fill: var(--ink); font-weight: 700; font-size: 15px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 40rem) {
  .facts { grid-template-columns: 1fr 1fr; }
  .headline { grid-template-columns: 1fr; gap: .75rem; } .score { text-align: left; } .score strong { display: inline; margin-right: .4rem; }
  .part-of { display: none; } .check > summary { grid-template-columns: 1fr auto; } .check > summary .title { grid-row: 2; grid-column: 1 / -1; }
  .body dl > div { grid-template-columns: 1fr; }
  .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; border: 0; padding: 0; }
  .stack thead { display: none; } .stack tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } .stack tbody th { font-weight: 600; }
  .stack td[data-label] { display: grid; grid-template-columns: 5.5rem 1fr; gap: .5rem; }
  .stack td[data-label]::before { content: attr(data-label); color: var(--soft); font-size: .8125rem; }
  .stack td.links { display: block; } .stack td.links::before { display: block; }
  .parts, .parts tbody, .parts tr, .parts th, .parts td { display: block; border: 0; padding: 0; } .parts thead, .parts .zero { display: none; }
  .parts tr { display: flex; flex-wrap: wrap; gap: 0 .9rem; padding: .35rem 0; border-bottom: 1px solid var(--line); } .parts tbody th { flex: 1 0 100%; }
  .parts td::after { content: "\\a0" attr(data-label); font-weight: 400; color: var(--soft); }
  .numbers { min-width: 0; font-size: .875rem; } .numbers th, .numbers td { padding-right: .6rem; } .chart text { font-size: 22px; } .chart .last { font-size: 24px; }
}
@page { margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt sans-serif; color: #555; } }
@media print {
  html { font-size: 8.75pt; }
  body { max-width: none; padding: 0; line-height: 1.35; }
  nav { display: none; }
  a { color: inherit; text-decoration: none; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  .check { break-inside: avoid; border-radius: 0; } .check > summary { padding: .25rem .5rem; } .body { padding: .1rem .5rem .3rem; } .body p { margin: .2rem 0; } .body dl { margin: 0; } .body dl > div { padding: 0; }
  .check.pass > .body, .check.not-applicable, .check-link.not-applicable { display: none; }
  .check.pass { margin: 0; border-width: 0 0 1px; } .check.pass > summary { padding: .1rem 0; background: none; }
  .body dl > div { grid-template-columns: 7.5rem 1fr; }
  tr, .priorities li, .chart, .headline, .numbers { break-inside: avoid; }
  h2, h3, thead { break-after: avoid; } h2 { margin-top: 1.5rem; }
  .bar rect, .headline, .chart * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .scroll { overflow: visible; }
}
`;
