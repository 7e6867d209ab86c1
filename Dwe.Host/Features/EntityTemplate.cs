using System.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.Features;

/// <summary>
/// What an entity's texts are made of: literal text and fields in braces, e.g. <c>{name} [SEP] {property}</c>. The first of
/// several alternatives that the entity has is taken, <c>{brief|property}</c>; a field it lacks is nothing. <c>name</c> and
/// <c>type</c> are always known; the rest are the data set's description fields. Templates with <c> || </c> between them make
/// several texts of an entity, whose vectors are averaged (<see cref="TextMean"/>).
/// </summary>
internal sealed class EntityTemplate
{
    /// <summary>Stands between templates.</summary>
    public const string Separator = " || ";

    private const string NameField = "name";
    private const string TypeField = "type";

    private readonly Part[][] templates;

    private EntityTemplate(string text, Part[][] templates) => (Text, this.templates) = (text, templates);

    /// <summary>Either a literal or the alternatives of one pair of braces.</summary>
    private sealed record Part(string Literal, string[] Fields);

    /// <summary>The template as it was written.</summary>
    public string Text { get; }

    /// <summary>An entity may have several texts.</summary>
    public bool HasSeveral => templates.Length > 1;

    /// <summary>What is named in braces.</summary>
    public IReadOnlySet<string> FieldNames =>
        templates.SelectMany(parts => parts).SelectMany(part => part.Fields).ToHashSet();

    /// <summary>Reads a template against the description fields that a data set has.</summary>
    /// <exception cref="UserErrorException">
    /// ValueInvalid for braces that do not match or a template without any field; KeyUnknown, with the nearest name, for a
    /// field that no entity has.
    /// </exception>
    public static EntityTemplate Parse(string text, IReadOnlyList<string> fieldNames)
    {
        var templates = new List<Part[]>();
        for (var start = 0; ;)
        {
            var end = text.IndexOf(Separator, start, StringComparison.Ordinal);
            templates.Add(Parts(text, start, end < 0 ? text.Length : end, [NameField, TypeField, .. fieldNames]));
            if (end < 0) return new EntityTemplate(text, [.. templates]);
            start = end + Separator.Length;
        }
    }

    private static Part[] Parts(string text, int start, int end, string[] known)
    {
        UserErrorException Invalid(string expected) =>
            new(UserError.NewValueInvalid("--entity-text", "the template", text, expected));

        int Brace(int from) => text.IndexOfAny(['{', '}'], from, end - from);

        var parts = new List<Part>();
        for (var position = start; position < end;)
        {
            var open = Brace(position);
            if (open < 0) open = end;
            if (open > position) parts.Add(new Part(text[position..open], []));
            if (open == end) break;
            var close = Brace(open + 1);
            if (text[open] == '}' || close < 0 || text[close] == '{')
                throw Invalid($"every '{{' closed by a '}}', unlike at character {open + 1}");

            var fields = text[(open + 1)..close].Split('|', StringSplitOptions.TrimEntries);
            foreach (var field in fields)
            {
                if (!known.Contains(field))
                    throw new UserErrorException(UserError.NewKeyUnknown(
                        $"--entity-text '{text}'", field, Microsoft.FSharp.Collections.ListModule.OfSeq(known)));
            }
            parts.Add(new Part("", fields));
            position = close + 1;
        }
        if (parts.All(part => part.Fields.Length == 0))
            throw Invalid(start == 0 && end == text.Length
                ? "a template with at least one field in braces, e.g. {property}"
                : $"at least one field in braces on either side of '{Separator}'");
        return [.. parts];
    }

    /// <summary>
    /// The entity's different texts, without white space at their ends; a template of which it has nothing gives none. Whether
    /// a description is missing: none of the description fields in all templates is there (templates of name and type alone
    /// ask for none).
    /// </summary>
    public (string[] Texts, bool MissesDescription) Fill(Entity entity)
    {
        var (asked, found) = (false, false);
        var texts = new List<string>();
        foreach (var parts in templates)
        {
            var (text, filled) = (new StringBuilder(), false);
            foreach (var part in parts)
            {
                text.Append(part.Literal);
                foreach (var field in part.Fields)
                {
                    var description = field is not (NameField or TypeField);
                    asked |= description;
                    if (ValueOf(entity, field) is not { Length: > 0 } value) continue;
                    found |= description;
                    filled = true;
                    text.Append(value);
                    break;
                }
            }
            if (filled && text.ToString().Trim() is { Length: > 0 } own && !texts.Contains(own)) texts.Add(own);
        }
        return ([.. texts], asked && !found);
    }

    private static string? ValueOf(Entity entity, string field) => field switch
    {
        NameField => entity.Name,
        TypeField => entity.Type,
        _ => entity.Fields.TryGetValue(field, out var value) ? value : null,
    };
}
