namespace Dwe.Host.Features;

/// <summary>The names of the kinds that images and tokens give.</summary>
internal static class FeatureKinds
{
    /// <summary>The whole image, one vector.</summary>
    public const string Image = "image";

    /// <summary>Its parts: persons on black; things, where asked for.</summary>
    public const string Parts = "parts";

    /// <summary>Model guesses about faces, as encoded texts.</summary>
    public const string Profile = "profile";

    /// <summary>Model guesses about faces, as numbers.</summary>
    public const string Attributes = "attributes";

    /// <summary>Who a face is near to.</summary>
    public const string Identity = "identity";

    /// <summary>Tokens of a mention's text, as its encoder sees them there.</summary>
    public const string Tokens = "tokens";

    /// <summary>The scene, as an encoded text.</summary>
    public const string Scene = "scene";
}
