using Dwe.Model.Batches;
using Microsoft.FSharp.Core;
using TorchSharp;

namespace Dwe.Host.Training;

/// <summary>Some of a split's mentions.</summary>
/// <param name="Split">The split.</param>
/// <param name="Rows">Rows of it, in their order.</param>
internal sealed record SplitPart(string Split, int[] Rows)
{
    /// <summary>A copy of the features of these mentions; the caller disposes of it.</summary>
    public static MentionFeatures Select(MentionFeatures features, int[] rows)
    {
        long[] wanted = [.. rows.Select(row => (long)row)];
        return new MentionFeatures(
            Gather(features.Mention, wanted), Gather(features.Text, wanted), Select(features.Tokens, rows),
            Select(features.Image, rows), Select(features.Parts, rows), Select(features.Profile, rows));
    }

    /// <summary>Disposes of what <see cref="Select(MentionFeatures, int[])"/> copied.</summary>
    public static void Dispose(MentionFeatures features)
    {
        features.Mention.Dispose();
        features.Text.Dispose();
        foreach (var ragged in new[] { features.Tokens, features.Image, features.Parts, features.Profile })
        {
            ragged?.Value.Rows.Dispose();
        }
    }

    private static FSharpOption<RaggedFeatures>? Select(FSharpOption<RaggedFeatures>? features, int[] rows)
    {
        if (features is null)
        {
            return null;
        }

        var source = features.Value.Offsets;
        var offsets = new long[rows.Length + 1];
        var wanted = new List<long>();
        for (var at = 0; at < rows.Length; at++)
        {
            for (var row = source[rows[at]]; row < source[rows[at] + 1]; row++)
            {
                wanted.Add(row);
            }

            offsets[at + 1] = wanted.Count;
        }

        return new RaggedFeatures(Gather(features.Value.Rows, [.. wanted]), offsets);
    }

    private static torch.Tensor Gather(torch.Tensor source, long[] rows)
    {
        using var at = torch.tensor(rows);
        return source.index_select(0, at).DetachFromDisposeScope();
    }
}
