using System.Globalization;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Vision;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>A mention's image with what was seen in it: the picture, boxes and masks drawn over it, and their legend.</summary>
internal static class ImageFigure
{
    /// <summary>What stands before every word that a net guessed about a face.</summary>
    public const string ModelGuess = "model guess";

    /// <summary>Told apart by number and by line too, so that colour alone says nothing.</summary>
    private static readonly string[] Colours = ["#ffd166", "#06d6a0", "#8ecae6", "#ff9fb2", "#cdb4ff", "#f4a261"];

    /// <summary>Something drawn: its number, what it is, and where.</summary>
    private sealed record Mark(int Number, string Name, Region Box, string Colour, PersonMask? Mask, ReadFace? Face);

    /// <summary>The figure; for an image that could not be read, a sentence with the reason.</summary>
    public static Html Of(ReportImage image, Mention mention, TraitChoice traits, int place)
    {
        if (image.Fault is { } fault)
            return Html.Of($"<p class=\"absent\">Image {place}, <code>{image.Name}</code>, could not be read: {ImageFaults.Describe(fault)}.</p>\n");
        var address = image.Address ?? throw new ArgumentException($"{image.Name} was read and not embedded", nameof(image));
        var seen = image.Analysis ?? throw new ArgumentException($"{image.Name} was read and not analysed", nameof(image));
        var marks = Marks(seen).ToArray();
        return Html.Of($"""
            <figure>
            <div class="stage">
            <img src="{address}" width="{seen.Width}" height="{seen.Height}" alt="{Alternative(mention, place, marks)}">
            {Overlay(seen, marks, mention.Box)}
            </div>
            <figcaption>Image {place}: <code>{image.Name}</code>, {seen.Width} × {seen.Height} pixels. {Sum(marks)}</figcaption>
            {Legend(marks, traits)}
            </figure>

            """);
    }

    private static IEnumerable<Mark> Marks(ImageAnalysis seen)
    {
        var number = 0;
        Mark Next(string name, Region box, PersonMask? mask, ReadFace? face) =>
            new(++number, name, box, Colours[(number - 1) % Colours.Length], mask, face);
        foreach (var person in seen.Persons)
            yield return Next($"person, score {Score(person.Score)}", person.Box, person.Mask, person.Face);
        foreach (var face in seen.Faces) yield return Next($"face without a person, score {Score(face.Score)}", face.Box, null, face);
        foreach (var thing in seen.Objects) yield return Next($"{thing.Label}, score {Score(thing.Score)}", thing.Box, null, null);
    }

    private static string Alternative(Mention mention, int place, Mark[] marks)
    {
        var name = mention.Text.Length > 0 ? $"Image {place} of the mention “{mention.Text}”" : $"Image {place} of the mention {mention.Key}";
        return $"{name}. {Sum(marks)}";
    }

    private static string Sum(Mark[] marks)
    {
        if (marks.Length == 0) return "Nothing was recognised in it.";
        var kinds = marks.GroupBy(mark => mark.Name.Split(',')[0]).Select(same => $"{same.Count()} × {same.Key}");
        return $"Recognised: {string.Join(", ", kinds)}.";
    }

    private static Html Overlay(ImageAnalysis seen, Mark[] marks, Box? box)
    {
        // Lines and numbers are as thick as they must be on a narrow screen, in the picture's own pixels.
        var unit = Math.Max(seen.Width, seen.Height) / 320f;
        return Html.Of($"""
            <svg viewBox="0 0 {seen.Width} {seen.Height}" aria-hidden="true" font-size="{Number(13 * unit)}">
            {marks.Where(mark => mark.Mask is not null).Select(mark => Html.Of($"<path class=\"mask\" d=\"{MaskPath.Of(mark.Mask!)}\" fill=\"{mark.Colour}\"/>\n"))}
            {marks.Select(mark => Drawn(mark, unit))}
            {(box is null ? Html.Nothing : Rectangle("mention", new Region((float)box.Left, (float)box.Top, (float)box.Right, (float)box.Bottom), "#ffffff", unit))}
            </svg>
            """);
    }

    private static Html Drawn(Mark mark, float unit)
    {
        var lone = mark.Mask is null && mark.Face is not null;
        var box = Rectangle(lone ? "face" : mark.Mask is null ? "thing" : "person", mark.Box, mark.Colour, unit);
        var face = mark.Face is null || lone ? Html.Nothing : Rectangle("face", mark.Face.Box, mark.Colour, unit);
        // Above the box, where it hides nothing; inside where the picture ends there.
        var (x, y) = (mark.Box.Left + (2 * unit), mark.Box.Top > 14 * unit ? mark.Box.Top - (3 * unit) : mark.Box.Top + (13 * unit));
        var number = Html.Of(
            $"<text x=\"{Number(x)}\" y=\"{Number(y)}\" stroke-width=\"{Number(3 * unit)}\" fill=\"{mark.Colour}\">{mark.Number}</text>\n");
        return Html.Of($"{box}{face}{number}");
    }

    /// <summary>A dark line under the bright one: seen on any picture.</summary>
    private static Html Rectangle(string kind, Region box, string colour, float unit)
    {
        Html Line(string stroke, float width, string dashes) => Html.Of(
            $"<rect class=\"{kind}\" x=\"{Number(box.Left)}\" y=\"{Number(box.Top)}\" width=\"{Number(box.Width)}\" height=\"{Number(box.Height)}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{Number(width * unit)}\"{(dashes.Length == 0 ? Html.Nothing : Html.Of($" stroke-dasharray=\"{dashes}\""))}/>\n");
        var dashes = kind is "face" or "mention" ? $"{Number(4 * unit)} {Number(3 * unit)}" : "";
        var thin = kind == "face" ? 0.6f : 1;
        return Html.Of($"{Line("#000000", 2.4f * thin, "")}{Line(colour, 1.4f * thin, dashes)}");
    }

    private static Html Legend(Mark[] marks, TraitChoice traits)
    {
        if (marks.Length == 0) return Html.Nothing;
        return Html.Of($"""
            <ol class="legend">
            {marks.Select(mark => Html.Of($"<li><span class=\"swatch\" style=\"background:{mark.Colour}\"></span>{mark.Name}{Guess(mark.Face, traits)}</li>\n"))}
            </ol>
            """);
    }

    private static Html Guess(ReadFace? face, TraitChoice traits) => face is null
        ? Html.Nothing
        : Html.Of($"<br><span class=\"guess\">{ModelGuess}</span> {ProfileText.Of(face.Traits, traits)}");

    private static string Score(float score) => score.ToString("F2", CultureInfo.InvariantCulture);

    private static string Number(float value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
