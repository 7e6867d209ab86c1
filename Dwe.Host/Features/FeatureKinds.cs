namespace Dwe.Host.Features;

/// <summary>The names of the kinds that images give.</summary>
internal static class FeatureKinds
{
    public const string Image = "image";
    public const string Parts = "parts";
    public const string Profile = "profile";
}
