using System.Globalization;
using Dwe.Host.Features.Vision;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>
/// One mention as one HTML page that stands alone: no script, nothing fetched (its policy forbids both), readable on a phone,
/// in light and in dark.
/// </summary>
internal static class MentionPage
{
    /// <summary>A description longer than this is folded.</summary>
    private const int Foldable = 320;

    private const string Style = """
        :root { color-scheme: light dark; --ground: #ffffff; --text: #1c1e21; --soft: #5a6068; --line: #d3d7dc; --card: #f6f7f9;
          --gold: #7a5200; --gold-ground: #fff4d6; --mark: #ffe58a; }
        @media (prefers-color-scheme: dark) { :root { --ground: #15171a; --text: #e8eaed; --soft: #a9b0b8; --line: #3a3f46;
          --card: #1f2226; --gold: #ffd479; --gold-ground: #3a2f12; --mark: #6b5300; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1rem; max-width: 52rem; background: var(--ground); color: var(--text);
          font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        h3 { font-size: 1rem; margin: 0; } p { margin: .5rem 0; } code { font-size: .9em; }
        .soft, figcaption { color: var(--soft); font-size: .9rem; }
        blockquote { margin: .75rem 0; padding: .75rem 1rem; border-left: .25rem solid var(--line); background: var(--card);
          font-size: 1.1rem; }
        mark { background: var(--mark); color: inherit; font-weight: 600; padding: 0 .15em; border-radius: .2em; }
        figure { margin: 1rem 0; } .stage { position: relative; display: table; max-width: 100%; margin: 0 auto; }
        .stage img { display: block; max-width: 100%; max-height: 80vh; width: auto; height: auto; }
        .stage svg { position: absolute; inset: 0; width: 100%; height: 100%; }
        .stage text { font-family: system-ui, sans-serif; font-weight: 700; paint-order: stroke; stroke: #000000; }
        .mask { opacity: .32; } .absent { padding: .75rem 1rem; border: 1px dashed var(--line); border-radius: .5rem; }
        .legend { padding-left: 1.6rem; } .legend li { margin: .3rem 0; }
        .swatch { display: inline-block; width: .8em; height: .8em; border: 1px solid #000000; margin-right: .45em; }
        .guess { font-size: .75rem; border: 1px solid currentColor; border-radius: .3em; padding: 0 .35em; color: var(--soft);
          white-space: nowrap; }
        .candidates { list-style: none; padding: 0; } .candidates li { margin: .6rem 0; } .entity { display: flex; gap: .8rem; padding: .7rem .8rem; background: var(--card);
          border: 1px solid var(--line); border-radius: .5rem; }
        .entity img { width: 4.5rem; height: 4.5rem; object-fit: cover; border-radius: .3rem; flex: none; }
        .entity > div { min-width: 0; } .entity p, .entity details { margin: .25rem 0 0; font-size: .95rem; }
        .gold { border: 2px solid var(--gold); background: var(--gold-ground); }
        .badge { color: var(--gold); font-weight: 700; } .field { color: var(--soft); font-size: .8rem; }
        """;

    /// <summary>The page's text.</summary>
    public static string Of(MentionReport report)
    {
        var mention = report.Mention;
        var title = mention.Text.Length > 0 ? mention.Text : mention.Key;
        return Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>{title} – mention {mention.Key}</title>
            <style>
            {new Html(Style)}
            </style>
            </head>
            <body>
            <main>
            <h1><bdi>{title}</bdi></h1>
            <p class="soft">Mention <code>{mention.Key}</code> of {report.Split}, {report.Source}{(mention.Type.Length > 0 ? $", type {mention.Type}" : "")}</p>
            {Sentence(mention)}
            <h2>Images</h2>
            {Images(report)}
            <h2>Gold</h2>
            {Gold(report)}
            <h2>Candidates</h2>
            {Candidates(report)}
            </main>
            </body>
            </html>

            """).Markup;
    }

    // --- the sentence ---

    private static Html Sentence(Mention mention)
    {
        if (mention.Sentence.Length == 0) return Html.Of($"<p class=\"absent\">The mention has no sentence.</p>");
        var (marked, count) = MarkedSentence.Of(mention.Sentence, mention.Text);
        return Html.Of($"""
            <blockquote dir="auto">{marked}</blockquote>
            {(count > 0 ? Html.Nothing : Html.Of($"<p class=\"soft\">The mention's text does not occur in the sentence.</p>"))}
            """);
    }

    // --- images ---

    private static Html Images(MentionReport report)
    {
        if (report.Images.Count == 0) return Html.Of($"<p class=\"absent\">The mention has no image.</p>");
        var faces = report.Images.Any(image => image.Analysis?.AllFaces.Any() == true);
        return Html.Of($"""
            {report.Images.Select((image, i) => ImageFigure.Of(image, report.Mention, report.Traits, i + 1))}
            {(faces ? Guesses(report.Traits) : Html.Nothing)}
            """);
    }

    private static Html Guesses(TraitChoice traits)
    {
        var left = new[] { ("gender", traits.Gender), ("race", traits.Race), ("emotion", traits.Emotion) }
            .Where(guess => !guess.Item2).Select(guess => guess.Item1).ToArray();
        return Html.Of($"""
            <p class="soft">Words after “{ImageFigure.ModelGuess}” are what nets guessed about a photo, often wrongly, and no facts about a person.
            {(left.Length > 0 ? $"Left out: {string.Join(", ", left)}." : "")}</p>
            """);
    }

    // --- entities ---

    private static Html Gold(MentionReport report)
    {
        if (report.Gold is { } gold) return Card(gold, isGold: true, Html.Nothing);
        return report.Mention.Gold switch
        {
            Dwe.Model.Domain.Gold.Entity entity => Html.Of($"<p class=\"absent\">The gold <code>{entity.id}</code> is not in the knowledge base.</p>"),
            { IsNil: true } => Html.Of($"<p class=\"absent\">NIL: the knowledge base has no entity for this mention.</p>"),
            _ => Html.Of($"<p class=\"absent\">The data set does not say what is meant.</p>"),
        };
    }

    private static Html Candidates(MentionReport report)
    {
        if (report.CandidateSource is null)
            return Html.Of($"<p class=\"absent\">No candidates come with this data set; <code>dwe candidates</code> makes some.</p>");
        if (report.Candidates.Count == 0)
            return Html.Of($"<p class=\"absent\">{report.CandidateSource} has none for this mention.</p>");
        var rank = report.Gold is null ? -1 : report.Candidates.ToList().FindIndex(candidate => candidate.Id == report.Gold.Id);
        var where = rank >= 0
            ? $"The gold is number {(rank + 1).ToString(CultureInfo.InvariantCulture)}."
            : report.Gold is null ? "" : "The gold is not among them.";
        return Html.Of($"""
            <p class="soft">{report.Candidates.Count} from {report.CandidateSource}, in their order. {where}</p>
            <ol class="candidates" role="list">
            {report.Candidates.Select((candidate, i) => Html.Of($"<li>{Card(candidate, candidate.Id == report.Gold?.Id, Html.Of($"{i + 1}. "))}</li>\n"))}
            </ol>
            """);
    }

    private static Html Card(ReportEntity shown, bool isGold, Html rank)
    {
        var entity = shown.Entity;
        var name = entity?.Name ?? shown.Id;
        var image = shown.Thumbnail is not { } address ? Html.Nothing : Html.Of($"<img src=\"{address}\" alt=\"Picture of {name}\">");
        return Html.Of($"""
            <div class="entity{(isGold ? " gold" : "")}">{image}<div>
            <h3>{rank}<bdi>{name}</bdi>{(isGold ? Html.Of($" <span class=\"badge\">★ gold</span>") : Html.Nothing)}</h3>
            <span class="field"><code>{shown.Id}</code>{(entity is { Type.Length: > 0 } ? $", {entity.Type}" : "")}</span>
            {Descriptions(entity)}
            </div></div>
            """);
    }

    private static Html Descriptions(Entity? entity)
    {
        if (entity is null) return Html.Of($"<p class=\"soft\">Not in the knowledge base.</p>");
        if (entity.Fields.Count == 0) return Html.Of($"<p class=\"soft\">No description.</p>");
        return Html.Join(entity.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => field.Value.Length <= Foldable
            ? Html.Of($"<p dir=\"auto\"><span class=\"field\">{field.Key}:</span> {field.Value}</p>\n")
            : Html.Of($"<details><summary><span class=\"field\">{field.Key}:</span> {Beginning(field.Value)}</summary><p dir=\"auto\">{field.Value}</p></details>\n")));
    }

    /// <summary>The first words of a long text; never half a character.</summary>
    private static string Beginning(string text)
    {
        var end = text.LastIndexOf(' ', Foldable / 2);
        if (end <= 0) end = char.IsHighSurrogate(text[(Foldable / 2) - 1]) ? (Foldable / 2) - 1 : Foldable / 2;
        return text[..end] + " …";
    }
}
