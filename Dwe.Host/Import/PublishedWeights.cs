using Dwe.Host.Checkpoints;
using Dwe.Host.Commands;
using Dwe.Host.Import.Pickle;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Import;

/// <summary>What an import of weights did.</summary>
/// <param name="Taken">Names of ours that were filled.</param>
/// <param name="Dropped">Names of theirs that nothing reads.</param>
internal sealed record ImportedWeights(IReadOnlyList<string> Taken, IReadOnlyList<string> Dropped);

/// <summary>
/// The weights of a <c>nel_model.pkl</c> (the state_dict of the released code's NELModel) as a run of the <c>published</c>
/// model. Names and what is dropped: docs/formats.md.
/// </summary>
internal static class PublishedWeights
{
    private const string InputWeight = "img_att.in_proj_weight";
    private const string InputBias = "img_att.in_proj_bias";
    private const string KeyBias = InputBias + " (its key third)";

    /// <summary>Our name, theirs, and which third of a packed projection (query, key, value), or null for all of it.</summary>
    private static readonly IReadOnlyList<(string Ours, string Theirs, int? Third)> Names =
    [
        ("text.linear.weight", "text_trans.0.weight", null),
        ("text.linear.bias", "text_trans.0.bias", null),
        ("text.norm.weight", "text_trans.2.weight", null),
        ("text.norm.bias", "text_trans.2.bias", null),
        ("image.linear.weight", "img_trans.0.weight", null),
        ("image.linear.bias", "img_trans.0.bias", null),
        ("image.norm.weight", "img_trans.2.weight", null),
        ("image.norm.bias", "img_trans.2.bias", null),
        ("attention.query.weight", InputWeight, 0),
        ("attention.query.bias", InputBias, 0),
        ("attention.key.weight", InputWeight, 1),
        ("attention.value.weight", InputWeight, 2),
        ("attention.value.bias", InputBias, 2),
        ("attention.output.weight", "img_att.out_proj.weight", null),
        ("attention.output.bias", "img_att.out_proj.bias", null),
        ("output.weight", "pedia_out_trans.1.weight", null),
        ("output.bias", "pedia_out_trans.1.bias", null),
        ("logit_scale", "clip_loss.logit_scale", null),
    ];

    /// <summary>Weights that the released code registers and never reads.</summary>
    private static readonly IReadOnlyList<string> Dead = ["text_att.", "split_trans.", "entity_trans.", "logit_scale"];

    /// <summary>Writes the run; its widths are those of the weights, its other settings those of <paramref name="config"/>.</summary>
    /// <exception cref="UserErrorException">
    /// As <see cref="TorchFile.Open"/>; CheckpointMismatch naming every weight that is missing, unexpected or of another shape;
    /// ValueInvalid for heads that do not divide the width.
    /// </exception>
    public static ImportedWeights Import(string path, string run, RunConfig config)
    {
        using var file = TorchFile.Open(path, TorchObjects.None);
        if (file.Root is not PickleDict)
            throw SafetensorsHeader.Broken(path, "top level", "no dict", "a state_dict: weights by name");
        var theirs = new Dictionary<string, TorchTensor>();
        foreach (var (name, tensor) in file.Tensors()) theirs[name] = tensor;

        RequireNames(path, theirs.Keys);
        var hidden = Extent(path, theirs, "text_trans.0.weight", 0);
        var sizes = new FeatureSizes(
            Extent(path, theirs, "text_trans.0.weight", 1),
            Extent(path, theirs, "img_trans.0.weight", 1),
            Extent(path, theirs, "pedia_out_trans.1.weight", 0));
        if (hidden % config.Model.Heads != 0)
            throw new UserErrorException(UserError.NewValueInvalid(
                path, "model.heads", $"{config.Model.Heads}", $"a divisor of {hidden}: give it with --set model.heads=..."));
        RequireShapes(path, theirs, hidden, sizes);

        config = Configuration.Set(config, [$"model.hidden={hidden}"]).OrThrow();
        using var matcher = Matcher.Create(config, sizes, torch.CPU);
        Copy(matcher, theirs);
        var manifest = new RunManifest
        {
            CodeVersion = CodeVersion.Current,
            Data = "",
            Features = "",
            DataHash = "",
            FeaturesHash = "",
            EntityText = "",
            TextSize = sizes.Text,
            ImageSize = sizes.Image,
            EntitySize = sizes.Entity,
        };
        var folder = new RunFolder(run);
        folder.Begin(config, manifest);
        Checkpoint.WriteWeights(folder.Best, matcher, manifest);
        return new ImportedWeights(
            [.. Names.Select(name => name.Ours)], [.. theirs.Keys.Where(IsDead).Append(KeyBias).Order(StringComparer.Ordinal)]);
    }

    private static bool IsDead(string name) =>
        Dead.Any(dead => dead.EndsWith('.') ? name.StartsWith(dead, StringComparison.Ordinal) : name == dead);

    private static void RequireNames(string path, IReadOnlyCollection<string> found)
    {
        var known = Names.Select(name => name.Theirs).Distinct().ToArray();
        Refuse(path,
        [
            .. known.Except(found).Select(name => $"missing {name}"),
            .. found.Where(name => !known.Contains(name) && !IsDead(name)).Select(name => $"unexpected {name}"),
        ]);
    }

    private static int Extent(string path, Dictionary<string, TorchTensor> theirs, string name, int axis)
    {
        var shape = theirs[name].Shape;
        if (shape.Count != 2 || shape[axis] is < 1 or > 1 << 16)
            throw SafetensorsHeader.Broken(path, name, theirs[name].ToString(), "a matrix");
        return (int)shape[axis];
    }

    private static void RequireShapes(string path, Dictionary<string, TorchTensor> theirs, long hidden, FeatureSizes sizes)
    {
        long[] ShapeOf(string name) => name switch
        {
            "text_trans.0.weight" => [hidden, sizes.Text],
            "img_trans.0.weight" => [hidden, sizes.Image],
            InputWeight => [3 * hidden, hidden],
            InputBias => [3 * hidden],
            "img_att.out_proj.weight" => [hidden, hidden],
            "pedia_out_trans.1.weight" => [sizes.Entity, hidden],
            "pedia_out_trans.1.bias" => [sizes.Entity],
            "clip_loss.logit_scale" => [],
            _ => [hidden],
        };
        Refuse(path, [.. Names.Select(name => name.Theirs).Distinct()
            .Where(name => !theirs[name].Shape.SequenceEqual(ShapeOf(name)))
            .Select(name => $"{name} is [{string.Join("; ", theirs[name].Shape)}], expected [{string.Join("; ", ShapeOf(name))}]")]);
    }

    private static void Copy(Matcher matcher, Dictionary<string, TorchTensor> theirs)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        foreach (var (ours, weight) in matcher.Weights.Select(weight => (weight.Item1, weight.Item2)))
        {
            var (_, name, third) = Names.Single(known => known.Ours == ours);
            var values = theirs[name].ToSingles();
            if (third is { } part) values = values[(part * values.Length / 3)..((part + 1) * values.Length / 3)];
            weight.copy_(torch.tensor(values, weight.shape));
        }
    }

    private static void Refuse(string path, IReadOnlyList<string> differences)
    {
        if (differences.Count > 0)
            throw new UserErrorException(UserError.NewCheckpointMismatch(
                path, Microsoft.FSharp.Collections.ListModule.OfSeq(differences)));
    }
}
