using System.Globalization;

namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>
/// Values of properties as one text, as WikiMEL's descriptions are: <c>Sex: male. Birth: 1900, Erie. Occupation: police officer,
/// politician.</c> Properties under one heading share its sentence; values of one property stand in the order of letters.
/// </summary>
internal sealed class PropertyText(IReadOnlyList<(string Property, string Heading)> properties, Func<string, string?> labelOf)
{
    /// <summary>Values that were left out because the dump has no label for them.</summary>
    public long Unlabelled { get; private set; }

    /// <summary>The text; empty where there is no value.</summary>
    /// <param name="values">By place in the properties.</param>
    public string Of(IReadOnlyList<string[]> values)
    {
        var sentences = new List<(string Heading, List<string> Texts)>();
        for (var at = 0; at < properties.Count; at++)
        {
            string[] texts = [.. values[at].Select(Shown).OfType<string>().Distinct().Order(StringComparer.OrdinalIgnoreCase)];
            if (texts.Length == 0) continue;
            var heading = HeadingOf(properties[at]);
            var there = sentences.Find(sentence => sentence.Heading == heading);
            if (there.Texts is { } list) list.AddRange(texts);
            else sentences.Add((heading, [.. texts]));
        }

        return string.Join(" ", sentences.Select(sentence => $"{sentence.Heading}: {string.Join(", ", sentence.Texts)}."));
    }

    /// <summary>The label of a thing, or the text itself.</summary>
    private string? Shown(string value)
    {
        if (value[0] != DumpItem.Reference) return value[1..].Trim();
        var label = labelOf(value[1..]);
        if (label is null) Unlabelled++;
        return label;
    }

    /// <summary>The heading that was asked for; else the property's label, else its id.</summary>
    private string HeadingOf((string Property, string Heading) one)
    {
        var heading = one.Heading.Length > 0 ? one.Heading : labelOf(one.Property) ?? one.Property;
        return heading[..1].ToUpper(CultureInfo.InvariantCulture) + heading[1..];
    }
}
