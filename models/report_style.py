"""The style sheet of the evaluation report: dark on light, readable on a phone and on paper."""

STYLE = """
:root { --ink: #1f2933; --soft: #616e7c; --line: #e4e7eb; --blue: #0072b2; --tint: #f0f6fb; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 72px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 12px; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 48px 0 8px; padding-top: 20px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 28px 0 8px; }
.lead { font-size: 18px; max-width: 46em; margin: 0 0 24px; }
.note { color: var(--soft); max-width: 60em; margin: 0 0 16px; }
.hash { font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 24px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; max-width: 60em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px 7px 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { font-weight: 400; }
thead th { color: var(--soft); font-size: 13px; vertical-align: bottom; }
th[scope], th.text, .text { text-align: left; }
tbody th { font-weight: 600; }
.best td:nth-of-type(2) { font-weight: 700; }
.best { background: var(--tint); }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px; }
a:hover { text-decoration-color: var(--blue); }
svg { display: block; }
svg line { stroke: var(--blue); stroke-width: 2; opacity: 0.45; }
svg circle { fill: var(--blue); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 24px; }
figure { margin: 0; }
figure img { display: block; max-width: 100%; }
.pair img { width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 6px; }
.recall { max-width: 760px; }
.bar { width: 45%; padding-right: 16px; }
.bar span { display: block; height: 12px; background: var(--blue); border-radius: 0 3px 3px 0; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr));
  gap: 20px 12px; }
.mistakes img { width: 96px; height: 96px; border-radius: 4px; }
.mistakes figcaption { line-height: 1.4; }
.mistakes b { color: var(--ink); }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
@media print { section { break-before: page; } .mistakes figure { break-inside: avoid; } }
"""
