namespace Dwe.Host.Reports;

/// <summary>How a report looks: in light and in dark, on a phone and on a desk.</summary>
internal static class RunPageStyle
{
    /// <summary>Colours of series: those of Okabe and Ito, told apart by people who see colours differently too; brighter on dark.</summary>
    public const string Text = """
        :root { color-scheme: light dark; --ground: #ffffff; --text: #1c1e21; --soft: #5a6068; --line: #d3d7dc; --card: #f6f7f9;
          --gold: #7a5200; --gold-ground: #fff4d6; --mark: #ffe58a; --wrong: #a33b00; --right: #00664b; --bar: #9cc3e0;
          --c0: #0072b2; --c1: #d55e00; --c2: #00805e; --c3: #a8487f; --c4: #8a6d00; --c5: #2b8cc4; --c6: #6b4fb0; --c7: #4a4a4a; }
        @media (prefers-color-scheme: dark) { :root { --ground: #15171a; --text: #e8eaed; --soft: #a9b0b8; --line: #3a3f46;
          --card: #1f2226; --gold: #ffd479; --gold-ground: #3a2f12; --mark: #6b5300; --wrong: #ff9e66; --right: #5fd6b0; --bar: #2f567a;
          --c0: #56b4e9; --c1: #ff9456; --c2: #3fd6a8; --c3: #f0a6cc; --c4: #f5c34d; --c5: #a3d8ff; --c6: #c3b1ff; --c7: #c9c9c9; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--ground); color: var(--text);
          font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
        h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem;
          border-top: 1px solid var(--line); padding-top: 1rem; } h3 { font-size: 1.05rem; margin: 1.75rem 0 .4rem; }
        h4 { font-size: 1rem; margin: 1.2rem 0 .3rem; } p { margin: .5rem 0; } code { font-size: .9em; overflow-wrap: anywhere; }
        a { color: var(--c0); } nav ul { padding-left: 1.2rem; margin: .5rem 0; } .soft { color: var(--soft); font-size: .9rem; }
        .absent { padding: .75rem 1rem; border: 1px dashed var(--line); border-radius: .5rem; overflow-wrap: anywhere; }
        .scroll { overflow-x: auto; margin: .5rem 0; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .25rem; }
        th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; font-size: .92rem; }
        th:first-child, td:first-child { text-align: left; padding-left: 0; } td.text, th.text { text-align: left; white-space: normal;
          min-width: 10rem; } thead th { border-bottom: 2px solid var(--line); } tbody th { font-weight: 400; } .best { font-weight: 700; }
        .changed th, .changed td { font-weight: 700; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; margin: .5rem 0; font-size: .92rem; }
        dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
        details { margin: .5rem 0; } summary { cursor: pointer; }
        .chart { display: block; width: 100%; max-width: 36rem; height: auto; margin: .5rem 0 0; } .chart text { font: 12px system-ui, sans-serif;
          fill: var(--text); } .chart text.small { font-size: 10px; } .chart text.name { font-size: 13px; }
        .grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; } .marked { stroke: var(--soft);
          stroke-width: 1.2; stroke-dasharray: 4 4; } .bar { fill: var(--bar); }
        .s0, .s1, .s2, .s3, .s4, .s5, .s6, .s7 { fill: none; stroke-width: 2; } .s0 { stroke: var(--c0); }
        .s1 { stroke: var(--c1); stroke-dasharray: 7 3; } .s2 { stroke: var(--c2); stroke-dasharray: 2 3; } .s3 { stroke: var(--c3);
          stroke-dasharray: 9 3 2 3; } .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); stroke-dasharray: 7 3; }
        .s6 { stroke: var(--c6); stroke-dasharray: 2 3; } .s7 { stroke: var(--c7); stroke-dasharray: 9 3 2 3; } .whole { stroke-dasharray: none; }
        .f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); } .f3 { fill: var(--c3); } .f4 { fill: var(--c4); }
        .f5 { fill: var(--c5); } .f6 { fill: var(--c6); } .f7 { fill: var(--c7); }
        .key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: .25rem 0 .75rem; font-size: .9rem; }
        .key svg { width: 34px; height: 12px; margin-right: .4rem; }
        .example { border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; margin: 1rem 0; }
        .example h4 { margin-top: 0; } blockquote { margin: .5rem 0; padding: .5rem .8rem; border-left: .25rem solid var(--line);
          background: var(--card); } mark { background: var(--mark); color: inherit; font-weight: 600; padding: 0 .15em; border-radius: .2em; }
        .stage { position: relative; display: inline-block; max-width: 100%; } .stage img { display: block; max-width: 100%; max-height: 18rem;
          width: auto; height: auto; border-radius: .3rem; } .stage svg { position: absolute; inset: 0; width: 100%; height: 100%; }
        .stage text { font-family: system-ui, sans-serif; font-weight: 700; paint-order: stroke; stroke: #000000; fill: #ffd166; }
        .ranking { list-style: none; padding: 0; margin: .5rem 0; } .ranking li { display: flex; gap: .7rem; padding: .4rem .6rem;
          margin: .3rem 0; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; } .ranking li > div { min-width: 0;
          flex: 1; } .ranking img { width: 3.2rem; height: 3.2rem; object-fit: cover; border-radius: .25rem; flex: none; }
        .ranking .gold { border: 2px solid var(--gold); background: var(--gold-ground); } .badge { color: var(--gold); font-weight: 700; }
        .about { color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
        .for-wrong { color: var(--wrong); } .for-gold { color: var(--right); }
        .weight { display: inline-block; height: .7em; border-radius: .15em; background: currentColor; vertical-align: baseline; }
        @media print { details::details-content { content-visibility: visible; } }
        """;
}
