namespace Dwe.Host.Linking;

/// <summary>The names by which answers say where an entity came from.</summary>
internal static class CandidateSources
{
    public const string Given = "given";
    public const string All = "all";
    public const string Dense = "dense";
    public const string Lexical = "lexical";
    public const string Prior = "prior";
}
