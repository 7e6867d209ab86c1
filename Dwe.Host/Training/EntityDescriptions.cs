using System.Text.RegularExpressions;
using Dwe.Model.Domain;

namespace Dwe.Host.Training;

/// <summary>
/// What is said of each entity, by row: those fields that the entities were encoded with, all where the template names none.
/// "" where an entity has none of them.
/// </summary>
internal static class EntityDescriptions
{
    /// <summary>The fields alone.</summary>
    public static string[] Of(RunData data) => Each(data, (_, text) => text);

    /// <summary>The texts that the released code draws negatives by: <c>Name [SEP]. description</c>.</summary>
    public static string[] Named(RunData data) => Each(data, (entity, text) => $"{entity.Name} [SEP]. {text}");

    private static string[] Each(RunData data, Func<Entity, string, string> write)
    {
        var describe = By(data.Store.Manifest.EntityText, data.Dataset.FieldNames);
        return [.. data.Dataset.Entities.Select(entity => describe(entity) is { Length: > 0 } text ? write(entity, text) : "")];
    }

    /// <summary>What is said of an entity that was encoded with a template, where these are all fields that entities have.</summary>
    public static Func<Entity, string> By(string template, IReadOnlyCollection<string> fieldNames)
    {
        string[] named = [.. Regex.Matches(template, @"\{([^{}]*)\}")
            .SelectMany(braces => braces.Groups[1].Value.Split('|', StringSplitOptions.TrimEntries))
            .Where(fieldNames.Contains)
            .Distinct()];
        string[] fields = named.Length > 0 ? named : [.. fieldNames];
        return entity => string.Join(" ", fields.Where(entity.Fields.ContainsKey).Select(field => entity.Fields[field]));
    }
}
