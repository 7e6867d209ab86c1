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

    /// <summary>The fields alone, of entities without a data set.</summary>
    /// <param name="entities">The knowledge base.</param>
    /// <param name="template">What they were encoded with.</param>
    /// <param name="fieldNames">All fields that an entity has, in the order of the knowledge base.</param>
    public static string[] Of(IReadOnlyList<Entity> entities, string template, IReadOnlyList<string> fieldNames) =>
        Each(entities, template, fieldNames, (_, text) => text);

    /// <summary>The texts that the released code draws negatives by: <c>Name [SEP]. description</c>.</summary>
    public static string[] Named(RunData data) => Each(data, (entity, text) => $"{entity.Name} [SEP]. {text}");

    private static string[] Each(RunData data, Func<Entity, string, string> write) =>
        Each(data.Dataset.Entities, data.Store.Manifest.EntityText, data.Dataset.FieldNames, write);

    private static string[] Each(
        IReadOnlyList<Entity> entities, string template, IReadOnlyList<string> fieldNames, Func<Entity, string, string> write)
    {
        string[] named = [.. Regex.Matches(template, @"\{([^{}]*)\}")
            .SelectMany(braces => braces.Groups[1].Value.Split('|', StringSplitOptions.TrimEntries))
            .Where(field => fieldNames.Contains(field))
            .Distinct()];
        var fields = named.Length > 0 ? named : [.. fieldNames];
        return [.. entities.Select(entity =>
        {
            var texts = fields.Where(entity.Fields.ContainsKey).Select(field => entity.Fields[field]).ToList();
            return texts.Count == 0 ? "" : write(entity, string.Join(" ", texts));
        })];
    }
}
