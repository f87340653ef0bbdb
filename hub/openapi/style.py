"""How pages look that the hub renders itself: the dashboard's colours, light and dark, and print.

Read by ``/docs`` and by exported reports.
"""

COLOURS = """
:root{color-scheme:light dark;--ground:#f6f6f5;--panel:#fffffe;--line:#e5e4df;--text:#1b1d1f;
--muted:#5d6167;--accent:#2857c4;--ok:#087353;--warn:#985000;--bad:#bb2d25;--s1:#3566d6;
--s2:#35a38a;--s3:#dfa441;--s4:#9a9fa6;
--sans:"Inter","SF Pro Text",-apple-system,"Segoe UI",system-ui,"Noto Sans",sans-serif;
--mono:"JetBrains Mono","SF Mono",ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{--ground:#0e1012;--panel:#15181b;--line:#262b30;
--text:#e4e6e8;--muted:#9ba1a8;--accent:#8fb1ff;--ok:#4fc990;--warn:#f4b54a;--bad:#ff8279;
--s1:#7fa6ff;--s2:#46c3a6;--s3:#cf9a41;--s4:#737a83}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:14px/1.5 var(--sans);
font-variant-numeric:tabular-nums}
h1{font-size:22px;margin:0 0 8px}h2{font-size:16px;margin:32px 0 12px}
h3{font-size:14px;margin:0 0 6px}
p{margin:0 0 8px}small,i{color:var(--muted);font-style:normal}
code,pre{font-family:var(--mono);font-size:.92em;unicode-bidi:isolate}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
table{border-collapse:collapse;width:100%;margin:8px 0}
th{text-align:left;font-weight:500;color:var(--muted);font-size:12px}
td,th{padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:anywhere}
"""

STYLE = f"""{COLOURS}
body{{display:grid;grid-template-columns:190px minmax(0,920px);gap:0 32px;padding:32px}}
header{{grid-column:1/3;max-width:760px;margin-bottom:16px}}header a{{margin-right:16px}}
nav{{position:sticky;top:16px;align-self:start}}nav ul{{list-style:none;margin:0;padding:0}}
nav li{{margin:0 0 6px}}section h2:first-child{{margin-top:0}}section{{margin-bottom:40px}}
article{{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:16px;
margin:0 0 12px}}
.method{{display:inline-block;min-width:52px;font-size:12px;color:var(--accent)}}
pre{{margin:8px 0 0;padding:8px 12px;background:var(--ground);border-radius:6px;overflow-x:auto}}
@media (max-width:720px){{body{{display:block;padding:16px}}nav{{position:static}}}}
@media print{{nav,pre{{display:none}}body{{display:block;background:none}}}}
"""
