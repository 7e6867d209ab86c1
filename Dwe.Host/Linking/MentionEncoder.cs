using Dwe.Host.Checkpoints;
using Dwe.Host.Features;
using Dwe.Host.Features.Clip;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Vision;
using Dwe.Host.Features.Weights;
using Dwe.Model.Batches;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Dwe.Model.Tensors;
using Microsoft.FSharp.Core;
using TorchSharp;

namespace Dwe.Host.Linking;

/// <summary>What of a request's image became part of its query.</summary>
/// <param name="Width">Pixels of the picture as it was read; 0 where none was.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Findings">Parts, profiles and boxes.</param>
/// <param name="Fault">Why it could not be read; null where it could, or where there is none.</param>
internal sealed record SeenImage(int Width, int Height, PartFindings Findings, ImageFault? Fault)
{
    public static readonly SeenImage None = new(0, 0, new PartFindings(), null);
}

/// <summary>
/// Mentions to features, as the features of a run were made: the same encoders, the same texts, the same parts. One vector
/// depends on one mention alone.
/// </summary>
internal sealed class MentionEncoder : IDisposable
{
    private readonly ITextEncoder texts;
    private readonly ImageWork? images;
    private readonly TokenWindow? tokens;

    private MentionEncoder(ITextEncoder texts, ImageWork? images, TokenWindow? tokens)
    {
        this.texts = texts;
        this.images = images;
        this.tokens = tokens;
    }

    /// <summary>Whether an image matters.</summary>
    public bool SeesImages => images is not null;

    /// <summary>With encoders of the caller's; no images where <paramref name="images"/> is null, and no tokens where
    /// <paramref name="tokens"/> is.</summary>
    public static MentionEncoder Of(ITextEncoder texts, ImageWork? images = null, TokenWindow? tokens = null) =>
        new(texts, images, tokens);

    /// <summary>Opens the encoders of a run.</summary>
    /// <param name="encoders">Those that its features were made with.</param>
    /// <param name="choice">The encoder that the user names, as for <c>dwe features</c>: CLIP's weights are the user's own file.</param>
    /// <param name="precision">How CLIP computes.</param>
    /// <param name="cache">Where the default encoders' weights lie.</param>
    /// <param name="report">Hears what is fetched or prepared.</param>
    /// <param name="cancel">Stops fetching.</param>
    /// <exception cref="UserErrorException">StoreMismatch where these are not the encoders of the run.</exception>
    public static MentionEncoder Open(
        RunEncoders encoders, TextEncoderChoice choice, Precision precision, WeightCache cache, Action<string> report,
        CancellationToken cancel)
    {
        var texts = OpenTexts(choice, precision, cache, report, cancel);
        try
        {
            Require("text encoder", texts.Id, encoders.Text);
            var tokens = encoders.Tokens is null ? null : OpenTokens(texts, encoders.Tokens);
            var images = encoders.Image is null ? null : OpenImages(encoders, choice, precision, cache, report, cancel);
            return new MentionEncoder(texts, images, tokens);
        }
        catch
        {
            texts.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The features of requests, one row each, and what was seen in their images: float32 <c>mention</c>, <c>text</c> [n; d],
    /// <c>tokens</c> [Σk; d], <c>image</c> [at most n; d_i], <c>parts</c> [Σk; d_i], <c>profile</c> [Σk; d]. Tensors belong to the caller's scope.
    /// </summary>
    /// <param name="requests">Mentions.</param>
    /// <param name="withScene">What the scene is counts as one more profile, the last.</param>
    /// <param name="withTokens">With the tokens of their texts; InvalidOperationException where the run's features had none.</param>
    /// <param name="cancel">Stops between images and batches.</param>
    public (MentionFeatures Features, IReadOnlyList<SeenImage> Seen) Encode(
        IReadOnlyList<LinkRequest> requests, bool withScene, bool withTokens, CancellationToken cancel)
    {
        var seen = requests.Select(request => See(request.Image, cancel)).ToArray();
        var profiles = seen.Select(one => ProfilesOf(one.Image.Findings, withScene)).ToArray();
        string[] wanted =
        [
            .. requests.Select(request => request.Mention),
            .. requests.Select(request => FeatureJob.TextOf(request.Mention, request.Text)),
            .. profiles.SelectMany(own => own),
        ];
        var rows = torch.tensor(texts.Encode(wanted, cancel).AsMemory(), [wanted.Length, texts.Dimension]);
        var count = requests.Count;
        var features = new MentionFeatures(
            rows.narrow(0, 0, count),
            rows.narrow(0, count, count),
            withTokens ? Ragged(TokensOf(requests, cancel), texts.Dimension) : null,
            Ragged([.. seen.Select(one => one.Whole)], images?.Encoder.Dimension ?? 0),
            Ragged([.. seen.Select(one => one.Parts)], images?.Encoder.Dimension ?? 0),
            Profiles(rows.narrow(0, 2 * count, wanted.Length - (2 * count)), profiles));
        return (features, [.. seen.Select(one => one.Image)]);
    }

    public void Dispose()
    {
        texts.Dispose();
        images?.Dispose();
    }

    /// <param name="Image">What was seen.</param>
    /// <param name="Whole">The image's vector, or nothing.</param>
    /// <param name="Parts">Its parts' vectors, one after the other.</param>
    private sealed record Encoded(SeenImage Image, float[] Whole, float[] Parts);

    private Encoded See(byte[]? bytes, CancellationToken cancel)
    {
        if (bytes is null || images is null) return new Encoded(SeenImage.None, [], []);
        var reading = ImageDecoder.Decode(bytes, images.Limits);
        if (reading.Image is not { } picture)
            return new Encoded(SeenImage.None with { Fault = reading.Fault }, [], []);

        var found = images.Finder.Find("", picture);
        var pictures = found.Parts.Prepend(picture).ToArray();
        var length = images.Encoder.PreparedLength;
        var prepared = new float[pictures.Length * length];
        for (var at = 0; at < pictures.Length; at++)
        {
            var one = pictures[at];
            images.Encoder.Prepare(one.Width, one.Height, one.Channels, one.Pixels, prepared.AsSpan(at * length, length));
        }

        var vectors = images.Encoder.Encode(prepared, pictures.Length, cancel);
        var whole = vectors[..images.Encoder.Dimension];
        return new Encoded(new SeenImage(picture.Width, picture.Height, found, null), whole, vectors[images.Encoder.Dimension..]);
    }

    private static FSharpOption<RaggedFeatures>? Ragged(float[][] vectors, int dim)
    {
        if (vectors.All(own => own.Length == 0)) return null;
        var offsets = Offsets(vectors.Select(own => own.Length / dim));
        return new RaggedFeatures(torch.tensor(vectors.SelectMany(own => own).ToArray().AsMemory(), [offsets[^1], dim]), offsets);
    }

    /// <summary>Of each request, its tokens' vectors one after the other.</summary>
    private float[][] TokensOf(IReadOnlyList<LinkRequest> requests, CancellationToken cancel)
    {
        var window = tokens ?? throw new InvalidOperationException("the model reads tokens, the encoders give none");
        var all = window.Encoder.EncodeTokens([.. requests.Select(request => FeatureJob.TextOf(request.Mention, request.Text))], cancel);
        return [.. requests.Select((request, at) => window.Pick(all[at], window.Places(request.Mention, request.Text)))];
    }

    /// <exception cref="UserErrorException">StoreMismatch where the encoder gives no such tokens.</exception>
    private static TokenWindow OpenTokens(ITextEncoder texts, string id)
    {
        var window = texts is ITokenEncoder gives && TokenWindow.MostOf(id) is { } most ? new TokenWindow(gives, most) : null;
        Require("tokens", window?.Id ?? $"none of {texts.Id}", id);
        return window!;
    }

    /// <summary>One per face, then the scene.</summary>
    private static string[] ProfilesOf(PartFindings found, bool withScene) =>
        withScene && found.Scene.Length > 0 ? [.. found.Profiles, found.Scene] : [.. found.Profiles];

    private static FSharpOption<RaggedFeatures>? Profiles(torch.Tensor rows, string[][] profiles) =>
        rows.shape[0] == 0
            ? FSharpOption<RaggedFeatures>.None
            : new RaggedFeatures(rows, Offsets(profiles.Select(own => own.Length)));

    private static long[] Offsets(IEnumerable<int> counts)
    {
        var offsets = new List<long> { 0 };
        foreach (var count in counts) offsets.Add(offsets[^1] + count);
        return [.. offsets];
    }

    private static ITextEncoder OpenTexts(
        TextEncoderChoice choice, Precision precision, WeightCache cache, Action<string> report, CancellationToken cancel) =>
        choice is TextEncoderChoice.ClipEncoder clip
            ? ClipTextEncoder.Open(clip.weights, precision, torch.CPU, cache, report, cancel)
            : UseTextEncoder.Open(cache, null, report, cancel);

    private static ImageWork OpenImages(
        RunEncoders encoders, TextEncoderChoice choice, Precision precision, WeightCache cache, Action<string> report,
        CancellationToken cancel)
    {
        IImageEncoder wholes = choice is TextEncoderChoice.ClipEncoder clip
            ? ClipImageEncoder.Open(clip.weights, precision, torch.CPU)
            : MobileNetEncoder.Open(cache, report, cancel);
        try
        {
            Require("image encoder", wholes.Id, encoders.Image!);
            return new ImageWork(wholes, OpenParts(encoders.Parts, cache, report, cancel), []);
        }
        catch
        {
            wholes.Dispose();
            throw;
        }
    }

    /// <summary>Parts that a data set brought along are found anew in what it did not bring.</summary>
    private static IPartFinder OpenParts(string? id, WeightCache cache, Action<string> report, CancellationToken cancel)
    {
        var none = new NoParts();
        if (id is null || id == none.Id) return none;
        var at = id.IndexOf(VisionPaths.Id, StringComparison.Ordinal);
        var choice = at < 0 ? null : PartChoice.OfId(id[(at + VisionPaths.Id.Length)..].TrimStart('/'));
        if (choice is null)
        {
            throw FeatureStore.Mismatch(
                "the run's features", $"parts found by {id}", $"parts found by {VisionPaths.Id}",
                "Make the features again with this version, and train on them.");
        }

        return new AnalyzedParts(ImageAnalyzer.Open(cache, choice.Identities, report, cancel), choice);
    }

    private static void Require(string what, string found, string expected)
    {
        if (found != expected)
        {
            throw FeatureStore.Mismatch(
                what, found, $"{expected}, with which the run's features were made",
                "Name the run's own encoder with --encoder, as for `dwe features`.");
        }
    }
}
