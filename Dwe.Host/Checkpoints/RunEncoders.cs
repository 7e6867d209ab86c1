using System.Text.Json.Serialization;
using Dwe.Host.Features;
using Dwe.Model.Domain;

namespace Dwe.Host.Checkpoints;

/// <summary>What made the features of a run: who links with it encodes new mentions alike.</summary>
internal sealed record RunEncoders
{
    /// <summary>Ids of encoders.</summary>
    public required string Text { get; init; }

    /// <summary>What gave tokens, and how many; null for a store without.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Tokens { get; init; }

    /// <summary>Null for a run that was trained without images.</summary>
    public string? Image { get; init; }

    /// <summary>What found parts; null without images.</summary>
    public string? Parts { get; init; }

    /// <summary>Those of a store.</summary>
    public static RunEncoders Of(FeatureManifest store)
    {
        var mentions = store.Tables.Where(table => table.Key != FeatureStore.Entities).Select(table => table.Value).ToArray();
        string? Encoder(string kind) =>
            mentions.Select(table => table.Kinds.GetValueOrDefault(kind)?.Encoder).OfType<string>().FirstOrDefault();
        return new RunEncoders
        {
            Text = Encoder(FeatureJob.TextKind) ?? store.Tables[FeatureStore.Entities].Kinds[FeatureJob.TextKind].Encoder,
            Tokens = Encoder(FeatureKinds.Tokens),
            Image = Encoder(FeatureKinds.Image) ?? Encoder(FeatureKinds.Parts),
            Parts = store.Images?.Parts,
        };
    }

    /// <summary>Those of a run; of one that is older than their record from its store, which must then be there.</summary>
    /// <exception cref="UserErrorException">FileMissing.</exception>
    public static RunEncoders Of(RunManifest run) => run.Encoders ?? Of(FeatureManifest.Read(run.Features));
}
