using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Dwe.Model.Domain;

namespace Dwe.Host.Enrichment;

/// <summary>
/// The question about one entity: a text with <c>{name}</c>, <c>{type}</c>, <c>{aliases}</c> and description fields in braces; a
/// field that an entity lacks is nothing. Unlike an entity text it knows aliases and has no alternatives.
/// </summary>
internal sealed partial class PromptTemplate
{
    private const string NameField = "name";
    private const string TypeField = "type";
    private const string AliasesField = "aliases";

    private readonly string text;

    private PromptTemplate(string text) => this.text = text;

    /// <summary>SHA-256 of the template in hexadecimal.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Reads a template against the description fields that the entities have.</summary>
    /// <exception cref="UserErrorException">KeyUnknown with the nearest name; FileBroken for a template without a field.</exception>
    public static PromptTemplate Parse(string file, string text, IEnumerable<string> fieldNames)
    {
        string[] known = [NameField, TypeField, AliasesField, .. fieldNames];
        var fields = Braces().Matches(text).Select(match => match.Groups[1].Value).ToList();
        if (fields.Count == 0)
            throw new UserErrorException(UserError.NewFileBroken(file, "the prompt", "no field in braces", "at least {name}"));
        if (fields.FirstOrDefault(field => !known.Contains(field)) is { } unknown)
            throw new UserErrorException(UserError.NewKeyUnknown(
                file, unknown, Microsoft.FSharp.Collections.ListModule.OfSeq(known)));
        return new PromptTemplate(text);
    }

    /// <summary>The question about an entity.</summary>
    public string Fill(Entity entity) => Braces().Replace(text, match => match.Groups[1].Value switch
    {
        NameField => entity.Name,
        TypeField => entity.Type,
        AliasesField => string.Join(", ", entity.Aliases),
        var field => entity.Fields.TryGetValue(field, out var value) ? value : "",
    }).Trim();

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex Braces();
}
