using System.Globalization;
using System.Text.Json;

namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>What an item of a dump says, in the words of its JSON.</summary>
/// <remarks>The format: https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html.</remarks>
internal readonly struct DumpItem(JsonElement record)
{
    /// <summary>A label for every language that has none of its own.</summary>
    private const string AnyLanguage = "mul";

    /// <summary>A statement of a date says years, and perhaps more, from this precision on.</summary>
    private const int YearPrecision = 9;

    /// <summary>Values by kind, as they are kept until labels are known.</summary>
    public const char Reference = '#';

    public const char Literal = '=';

    public const char Year = '@';

    /// <summary>E.g. Q42.</summary>
    public string Id => record.GetProperty("id").GetString()!;

    /// <summary>Whether it is a thing, not a property or a word.</summary>
    public bool IsItem => record.GetProperty("type").ValueEquals("item");

    /// <summary>The label in the first language that has one; null where none has.</summary>
    public string? Label(string[] languages) => InFirst("labels", languages);

    public string? Description(string[] languages) => InFirst("descriptions", languages);

    /// <summary>Other names: aliases in all the languages, and labels other than the first.</summary>
    public string[] Aliases(string[] languages, string name)
    {
        var found = new List<string>();
        foreach (var language in languages.Append(AnyLanguage))
        {
            if (In("labels", language) is { } label) found.Add(label);
            if (Object("aliases") is { } all && all.TryGetProperty(language, out var own) && own.ValueKind == JsonValueKind.Array)
                found.AddRange(own.EnumerateArray().Select(ValueOf).OfType<string>());
        }

        return [.. found.Select(text => text.Trim()).Where(text => text.Length > 0 && text != name).Distinct()];
    }

    /// <summary>Ids of the things that a property names.</summary>
    public IEnumerable<string> References(string property) =>
        Values(property).Where(value => value[0] == Reference).Select(value => value[1..]);

    /// <summary>Texts that a property has, e.g. names of files.</summary>
    public IEnumerable<string> Literals(string property) =>
        Values(property).Where(value => value[0] == Literal).Select(value => value[1..]);

    /// <summary>
    /// Values of the best statements of a property: those that are preferred, else those that are not deprecated. References,
    /// texts and years; of several years the first.
    /// </summary>
    public string[] Values(string property)
    {
        if (Object("claims") is not { } claims || !claims.TryGetProperty(property, out var all) || all.ValueKind != JsonValueKind.Array) return [];
        var ranked = all.EnumerateArray().ToLookup(statement => Text(statement, "rank"));
        var best = ranked["preferred"].Any() ? ranked["preferred"] : ranked["normal"].Concat(ranked[null]);
        string[] values = [.. best.Select(MainValue).OfType<string>().Distinct()];
        var year = values.FirstOrDefault(value => value[0] == Year);
        return year is null ? values : [year];
    }

    private static string? MainValue(JsonElement statement)
    {
        if (!TryObject(statement, "mainsnak", out var snak) || Text(snak, "snaktype") != "value"
            || !TryObject(snak, "datavalue", out var data) || !data.TryGetProperty("value", out var value)) return null;
        return Text(data, "type") switch
        {
            "wikibase-entityid" => IdOf(value) is { } id ? Reference + id : null,
            "string" when value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text => Literal + text,
            "monolingualtext" when value.ValueKind == JsonValueKind.Object && Text(value, "text") is { Length: > 0 } text => Literal + text,
            "time" when value.ValueKind == JsonValueKind.Object => YearOf(value),
            // A number with a unit would say nothing without it.
            "quantity" when value.ValueKind == JsonValueKind.Object && Text(value, "unit") == "1" => Literal + Text(value, "amount")?.TrimStart('+'),
            _ => null,
        };
    }

    private static string? IdOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return null;
        if (Text(value, "id") is { } id) return id;
        // Older dumps give the number alone.
        return value.TryGetProperty("numeric-id", out var number) && Text(value, "entity-type") == "item" ? "Q" + number.GetRawText() : null;
    }

    /// <summary>The year of <c>+1952-03-11T00:00:00Z</c>; before the common era with a minus.</summary>
    private static string? YearOf(JsonElement value)
    {
        if (!value.TryGetProperty("precision", out var precision) || !precision.TryGetInt32(out var exact) || exact < YearPrecision
            || Text(value, "time") is not { Length: > 1 } time || time.IndexOf('-', 1) is not (> 1 and var end)) return null;
        return long.TryParse(time.AsSpan(0, end), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var year)
            ? Year + year.ToString(CultureInfo.InvariantCulture)
            : null;
    }

    private string? InFirst(string map, string[] languages)
    {
        foreach (var language in languages.Append(AnyLanguage))
            if (In(map, language)?.Trim() is { Length: > 0 } text) return text;
        return null;
    }

    private string? In(string map, string language) =>
        Object(map) is { } texts && texts.TryGetProperty(language, out var text) ? ValueOf(text) : null;

    /// <summary>Empty maps are written as empty lists.</summary>
    private JsonElement? Object(string name) => TryObject(record, name, out var found) ? found : null;

    private static string? ValueOf(JsonElement text) => text.ValueKind == JsonValueKind.Object ? Text(text, "value") : null;

    private static bool TryObject(JsonElement within, string name, out JsonElement found)
    {
        found = default;
        return within.ValueKind == JsonValueKind.Object && within.TryGetProperty(name, out found) && found.ValueKind == JsonValueKind.Object;
    }

    private static string? Text(JsonElement within, string name) =>
        within.ValueKind == JsonValueKind.Object && within.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;
}
