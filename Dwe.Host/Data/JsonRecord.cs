using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// A record in JSON: an object, or a list whose places have names. It lives as long as the call or the step of iteration
/// that it is given to.
/// </summary>
internal sealed class JsonRecord : Record
{
    private readonly JsonElement element;
    private readonly string[]? places;
    private readonly Func<(string Path, string Place)> where;

    /// <param name="element">An object; or a list, where <paramref name="places"/> are given.</param>
    /// <param name="places">The names of a list's places.</param>
    /// <param name="where">The file, and the place in it, e.g. <c>line 3, key '10-0'</c>; asked for in errors alone.</param>
    /// <param name="name">Its key in the object that holds it, or its number in the list.</param>
    public JsonRecord(JsonElement element, string[]? places, Func<(string Path, string Place)> where, string name)
    {
        this.element = element;
        this.places = places;
        this.where = where;
        Name = name;
    }

    /// <summary>A key given twice hides a value.</summary>
    public static JsonDocumentOptions Options { get; } = new() { AllowDuplicateProperties = false };

    /// <summary>The record's key in the object that holds it, or its number in the list, from 0.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override IEnumerable<string> Names => places ?? element.EnumerateObject().Select(NameOf);

    /// <inheritdoc/>
    public override string? TextOrNull(string name) => Find(name) is { } value ? TextOf(name, value) : null;

    /// <inheritdoc/>
    public override string? TextIfAny(string name) =>
        Find(name) is { ValueKind: JsonValueKind.String } value ? TextOf(name, value) : null;

    /// <inheritdoc/>
    public override string[] Texts(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(item => TextOf(name, item))],
        { } value => TextOf(name, value) is { Length: > 0 } text ? [text] : [],
    };

    /// <inheritdoc/>
    public override string? IdOrNull(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number or JsonValueKind.Array } value => value.GetRawText(),
        { } value => TextOf(name, value) is { Length: > 0 } text ? text : null,
    };

    /// <summary>Whether a field is a list.</summary>
    public bool IsList(string name) => Find(name) is { ValueKind: JsonValueKind.Array };

    /// <summary>The first text of each list in a list, or the texts in it: <c>[["Title", ...], "Title"]</c>.</summary>
    public string[] FirstTexts(string name)
    {
        if (Find(name) is not { } list) return [];
        if (list.ValueKind != JsonValueKind.Array) throw Broken(name, KindOf(list), "a list");
        return [.. list.EnumerateArray().Select(item =>
            item.ValueKind == JsonValueKind.Array && item.GetArrayLength() > 0 ? TextOf(name, item[0]) : TextOf(name, item))];
    }

    /// <summary>The lists in a list, each of which has these places.</summary>
    public IEnumerable<JsonRecord> Tuples(string name, string[] itsPlaces)
    {
        if (Find(name) is not { } list) yield break;
        if (list.ValueKind != JsonValueKind.Array) throw Broken(name, KindOf(list), "a list of lists");
        var number = 0;
        foreach (var item in list.EnumerateArray())
        {
            RequireTuple(item, itsPlaces, name);
            yield return new JsonRecord(item, itsPlaces, where, $"{Name}-{number++}");
        }
    }

    /// <inheritdoc/>
    public override UserErrorException Broken(string? field, string found, string expected)
    {
        var (path, place) = where();
        return new UserErrorException(UserError.NewFileBroken(
            path, field is null ? place : $"{place} field '{field}'", found, expected));
    }

    /// <summary>What a value is, in words.</summary>
    public static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };

    /// <summary>Refuses what is not a list of as many places.</summary>
    private void RequireTuple(JsonElement item, string[] itsPlaces, string name)
    {
        var found = item.ValueKind == JsonValueKind.Array ? $"a list of {item.GetArrayLength()}" : KindOf(item);
        if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != itsPlaces.Length)
            throw Broken(name, found, $"a list of {itsPlaces.Length}: {string.Join(", ", itsPlaces)}");
    }

    private JsonElement? Find(string name)
    {
        JsonElement value;
        if (places is not null)
        {
            var place = Array.IndexOf(places, name);
            if (place < 0) return null;
            value = element[place];
        }
        else if (!element.TryGetProperty(name, out value))
        {
            return null;
        }
        return value.ValueKind == JsonValueKind.Null ? null : value;
    }

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw Broken(null, "a key that is not valid Unicode", "valid UTF-8, and escapes in pairs");
        }
    }

    private string TextOf(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) throw Broken(name, KindOf(value), "a text");
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw Broken(name, "a text that is not valid Unicode", "valid UTF-8, and escapes in pairs");
        }
    }
}
