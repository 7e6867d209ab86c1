using System.Globalization;
using Dwe.Host.Linking;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>The wrongly linked mentions of a run as part of its page.</summary>
internal static class WrongLinkSection
{
    /// <summary>Letters of a description that are shown.</summary>
    private const int Described = 160;

    /// <summary>What a share must have of the largest to be told.</summary>
    private const double Told = 0.1;

    /// <summary>What stands below the heading.</summary>
    public static Html Of(WrongLinks wrong)
    {
        if (wrong.Absent is { } reason)
        {
            return Html.Of($"<p class=\"absent\">No examples: the data or features of the run could not be opened. {reason}</p>");
        }

        return Html.Of($"""
            <p>Of {ReportText.Count(wrong.Mentions)} mentions, {ReportText.Count(wrong.RankedBelow)} have another entity before their gold,
            {ReportText.Count(wrong.NotCompared)} have a gold that was not among the candidates, and {ReportText.Count(wrong.OutsideKb)} one that
            the knowledge base lacks. {(wrong.Examples.Count > 0 ? $"Here are {wrong.Examples.Count.ToString(CultureInfo.InvariantCulture)}, the surest mistakes first." : "")}</p>
            <p class="soft">Ranked by the best checkpoint under {wrong.Protocol}. What moved the scores: shares of them that differ most between
            the first candidate and the gold; all shares of an entity together make its score.</p>
            {wrong.Examples.Select(Example)}
            """);
    }

    private static Html Example(WrongLink link)
    {
        var mention = link.Mention;
        return Html.Of($"""
            <article class="example">
            <h4><bdi>{(mention.Text.Length > 0 ? mention.Text : mention.Key)}</bdi> <span class="soft">mention <code>{mention.Key}</code>{(mention.Type.Length > 0 ? $", type {mention.Type}" : "")}</span></h4>
            <blockquote dir="auto">{MarkedSentence.Of(mention.Sentence, mention.Text).Marked}</blockquote>
            {Picture(link)}
            {Ranking(link)}
            {Why(link)}
            </article>
            """);
    }

    // --- image ---

    private static Html Picture(WrongLink link)
    {
        if (link.Image is not { } image)
        {
            return link.ImageNote is { } note ? Html.Of($"<p class=\"soft\">{note}</p>") : Html.Nothing;
        }

        return Html.Of($"""
            <div class="stage"><img src="{image.Address}" width="{image.Width}" height="{image.Height}" alt="Image {image.Name} of the mention" />
            {Boxes(image)}</div>
            {(image.Parts.Count == 0 ? Html.Nothing : Html.Of($"<p class=\"soft\">{string.Join("; ", image.Parts.Select(Part))}</p>"))}
            """);
    }

    private static Html Boxes(SeenImage image)
    {
        if (image.Parts.Count == 0) return Html.Nothing;
        var unit = Math.Max(image.Width, image.Height) / 320.0;
        Html Box(SeenPart part, int at)
        {
            var place = $"x=\"{Chart.Number(part.Left)}\" y=\"{Chart.Number(part.Top)}\" width=\"{Chart.Number(part.Right - part.Left)}\" height=\"{Chart.Number(part.Bottom - part.Top)}\" fill=\"none\"";
            return Html.Of($"""
                <rect {new Html(place)} stroke="#000000" stroke-width="{Chart.Number(3 * unit)}"/><rect {new Html(place)} stroke="#ffd166" stroke-width="{Chart.Number(1.5 * unit)}"/>
                <text x="{Chart.Number(part.Left + (4 * unit))}" y="{Chart.Number(part.Top + (16 * unit))}" font-size="{Chart.Number(14 * unit)}" stroke-width="{Chart.Number(3 * unit)}">{at + 1}</text>

                """);
        }

        return Html.Of($"<svg viewBox=\"0 0 {image.Width} {image.Height}\" aria-hidden=\"true\">{image.Parts.Select(Box)}</svg>");
    }

    private static string Part(SeenPart part, int at)
    {
        var attention = part.Attention is { } share ? $", attention {ReportText.Percent(share)}" : "";
        var profile = part.Profile is { Length: > 0 } guess ? $", {ImageFigure.ModelGuess}: {guess}" : "";
        return $"{(at + 1).ToString(CultureInfo.InvariantCulture)}: {part.Label}{attention}{profile}";
    }

    // --- ranking ---

    private static Html Ranking(WrongLink link)
    {
        if (link.First.Count == 0)
        {
            return Html.Of($"<p class=\"absent\">The mention has no candidate, so it was linked to nothing.</p>{Golds(link)}");
        }

        return Html.Of($"""
            <ol class="ranking" role="list">
            {link.First.Select(Row)}
            </ol>
            {(link.First.Any(entity => entity.IsGold) ? Html.Nothing : Golds(link))}
            """);
    }

    private static Html Golds(WrongLink link)
    {
        if (link.Gold is not { } gold) return Html.Nothing;
        var where = gold.Rank is { } rank
            ? $"The gold is number {ReportText.Rank(rank).Replace(".0", "", StringComparison.Ordinal)} of {ReportText.Count(link.Compared)}:"
            : "The gold was not among the candidates; beside them it would have had this score:";
        return Html.Of($"<p class=\"soft\">{where}</p>\n<ol class=\"ranking\" role=\"list\">{Row(gold)}</ol>");
    }

    private static Html Row(RankedEntity ranked)
    {
        var entity = ranked.Entity.Entity;
        var name = entity is { Name.Length: > 0 } ? entity.Name : ranked.Entity.Id;
        var image = ranked.Entity.Thumbnail is { } address ? Html.Of($"<img src=\"{address}\" alt=\"Picture of {name}\" />") : Html.Nothing;
        var rank = ranked.Rank is { } place ? $"{place.ToString("0", CultureInfo.InvariantCulture)}. " : "";
        var probability = ranked.Probability is { } share ? $", probability {ReportText.Percent(share)} %" : "";
        return Html.Of($"""
            <li{(ranked.IsGold ? new Html(" class=\"gold\"") : Html.Nothing)}>{image}<div>{rank}<strong><bdi>{name}</bdi></strong> <code>{ranked.Entity.Id}</code>{(ranked.IsGold ? Html.Of($" <span class=\"badge\">★ gold</span>") : Html.Nothing)}
            <div>score {ReportText.Score(ranked.Score)}{probability}</div>
            {(entity is null ? Html.Nothing : Html.Of($"<div class=\"about\" dir=\"auto\">{Description(entity)}</div>"))}</div></li>

            """);
    }

    private static string Description(Entity entity)
    {
        var all = string.Join(" · ", entity.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => field.Value));
        if (all.Length <= Described) return all;
        var end = all.LastIndexOf(' ', Described);
        if (end <= 0) end = char.IsHighSurrogate(all[Described - 1]) ? Described - 1 : Described;
        return all[..end] + " …";
    }

    // --- why ---

    private static Html Why(WrongLink link)
    {
        if (link.Reasons is not { Count: > 0 } reasons || link.First.Count == 0 || link.Gold is null) return Html.Nothing;
        var (first, largest) = (NameOf(link.First[0]), reasons.Max(reason => Math.Abs(reason.Difference)));
        return Html.Of($"""
            <p>{Sentence(reasons)}</p>
            <div class="scroll" tabindex="0" role="region" aria-label="what moved the scores"><table>
            <thead><tr><th scope="col">share of the score</th><th scope="col">{first}</th><th scope="col">gold</th><th scope="col">difference</th><th scope="col" class="text"><span class="for-wrong">for the first</span> or <span class="for-gold">the gold</span></th></tr></thead>
            <tbody>
            {reasons.Select(reason => Share(reason, largest))}
            </tbody></table></div>
            {Weighed("Gates: how much of each unit the query takes", link.Gates)}
            {Weighed("Attention of the vision and attribute units", link.Attention)}
            """);
    }

    private static string NameOf(RankedEntity ranked) => ranked.Entity.Entity is { Name.Length: > 0 } entity ? entity.Name : ranked.Entity.Id;

    /// <summary>The largest share for either side, in words; one that is small beside the largest is not worth any.</summary>
    private static Html Sentence(IReadOnlyList<Reason> reasons)
    {
        var least = Told * reasons.Max(reason => Math.Abs(reason.Difference));
        Html Said(string side, Func<Reason, bool> speaks) => reasons.FirstOrDefault(reason => speaks(reason) && Math.Abs(reason.Difference) >= least) is { } reason
            ? Html.Of($"<code>{reason.Name}</code> spoke for {side} by {ReportText.Score(Math.Abs(reason.Difference))}")
            : Html.Of($"nothing much spoke for {side}");
        return Html.Of($"{Said("the first candidate", reason => reason.Difference > 0)}; {Said("the gold", reason => reason.Difference < 0)}.");
    }

    private static Html Share(Reason reason, double largest)
    {
        var width = Chart.Number(8 * Math.Abs(reason.Difference) / largest);
        return Html.Of(
            $"<tr><th scope=\"row\"><code>{reason.Name}</code></th><td>{ReportText.Score(reason.First)}</td><td>{ReportText.Score(reason.Gold)}</td><td>{reason.Difference.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture)}</td><td class=\"text {(reason.Difference > 0 ? "for-wrong" : "for-gold")}\"><span class=\"weight\" style=\"width:{width}rem\"></span></td></tr>\n");
    }

    private static Html Weighed(string what, IReadOnlyList<Contribution> shares) => shares.Count == 0
        ? Html.Nothing
        : Html.Of($"<p class=\"soft\">{what}: {string.Join(", ", shares.Select(share => $"{share.Name} {ReportText.Percent(share.Amount)}"))}.</p>");
}
