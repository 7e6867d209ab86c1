using System.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.Features;

/// <summary>
/// What an entity's text is made of: literal text and fields in braces, e.g. <c>{name} [SEP] {property}</c>. The first of
/// several alternatives that the entity has is taken, <c>{brief|property}</c>; a field it lacks is nothing. <c>name</c> and
/// <c>type</c> are always known; the rest are the data set's description fields.
/// </summary>
internal sealed class EntityTemplate
{
    private const string NameField = "name";
    private const string TypeField = "type";

    private readonly List<Part> parts = [];

    private EntityTemplate(string text) => Text = text;

    /// <summary>Either a literal or the alternatives of one pair of braces.</summary>
    private sealed record Part(string Literal, string[] Fields);

    /// <summary>The template as it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a template against the description fields that a data set has.</summary>
    /// <exception cref="UserErrorException">
    /// ValueInvalid for braces that do not match or a template without any field; KeyUnknown, with the nearest name, for a
    /// field that no entity has.
    /// </exception>
    public static EntityTemplate Parse(string text, IReadOnlyList<string> fieldNames)
    {
        UserErrorException Invalid(string expected) =>
            new(UserError.NewValueInvalid("--entity-text", "the template", text, expected));

        var template = new EntityTemplate(text);
        string[] known = [NameField, TypeField, .. fieldNames];
        for (var position = 0; position < text.Length;)
        {
            var open = text.IndexOfAny(['{', '}'], position);
            if (open < 0) open = text.Length;
            if (open > position) template.parts.Add(new Part(text[position..open], []));
            if (open == text.Length) break;
            var close = text.IndexOfAny(['{', '}'], open + 1);
            if (text[open] == '}' || close < 0 || text[close] == '{')
                throw Invalid($"every '{{' closed by a '}}', unlike at character {open + 1}");

            var fields = text[(open + 1)..close].Split('|', StringSplitOptions.TrimEntries);
            foreach (var field in fields)
            {
                if (!known.Contains(field))
                    throw new UserErrorException(UserError.NewKeyUnknown(
                        $"--entity-text '{text}'", field, Microsoft.FSharp.Collections.ListModule.OfSeq(known)));
            }
            template.parts.Add(new Part("", fields));
            position = close + 1;
        }
        if (template.parts.All(part => part.Fields.Length == 0))
            throw Invalid("a template with at least one field in braces, e.g. {property}");
        return template;
    }

    /// <summary>
    /// The entity's text, without white space at its ends; empty when it has nothing of what is asked. Whether a
    /// description is missing: none of the description fields in the template is there (a template of name and type alone
    /// asks for none).
    /// </summary>
    public (string Text, bool MissesDescription) Fill(Entity entity)
    {
        var text = new StringBuilder();
        var (asked, found) = (false, false);
        foreach (var part in parts)
        {
            text.Append(part.Literal);
            foreach (var field in part.Fields)
            {
                var description = field is not (NameField or TypeField);
                asked |= description;
                if (ValueOf(entity, field) is not { Length: > 0 } value) continue;
                found |= description;
                text.Append(value);
                break;
            }
        }
        var filled = parts.Any(part => part.Fields.Any(field => ValueOf(entity, field) is { Length: > 0 }));
        return (filled ? text.ToString().Trim() : "", asked && !found);
    }

    private static string? ValueOf(Entity entity, string field) => field switch
    {
        NameField => entity.Name,
        TypeField => entity.Type,
        _ => entity.Fields.TryGetValue(field, out var value) ? value : null,
    };
}
