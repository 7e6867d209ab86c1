using System.Text.Json;
using Dwe.Host.Checkpoints;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Experiments;

/// <summary>One variant of a grid.</summary>
/// <param name="Name">As the file calls it.</param>
/// <param name="Slug">Its folder.</param>
/// <param name="Config">Preset, base and its own changes.</param>
internal sealed record GridVariant(string Name, string Slug, RunConfig Config);

/// <summary>
/// Variants of one configuration: <c>{"preset": NAME, "base": {KEY: VALUE}, "variants": {NAME: {KEY: VALUE}}}</c>, keys as
/// <c>--set</c> takes them. The first variant is what the others are compared with.
/// </summary>
internal sealed record Grid(string? Preset, IReadOnlyList<GridVariant> Variants)
{
    private const string What = "a grid: an object of preset, base and variants";

    /// <exception cref="UserErrorException">
    /// FileMissing; FileBroken; KeyUnknown or ValueInvalid naming the variant; ValueInvalid where a name is there twice, or
    /// a variant changes what all must share.
    /// </exception>
    public static Grid Read(string path)
    {
        using var file = ExperimentFile.Open(path, What, "preset", "base", "variants");
        var under = file.Base();
        var variants = file.Member("variants") is { ValueKind: JsonValueKind.Object } found
            ? found.EnumerateObject().Select(variant => Variant(file, under, variant)).ToList()
            : [];
        if (variants.Count == 0)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, "variants", "none", "an object {name: {key: value}} of at least one variant"));
        }

        RequireDistinct(path, variants);
        foreach (var variant in variants)
        {
            RequireComparable(path, variants[0], variant);
        }

        return new Grid(file.Preset, variants);
    }

    /// <summary>A run for every variant and seed, variant by variant.</summary>
    public IReadOnlyList<PlannedRun> Plan(string folder, IReadOnlyList<long> seeds) =>
        [.. Variants.SelectMany(variant => seeds.Select(seed => new PlannedRun(
            $"{variant.Name}, seed {seed}", new RunFolder(Path.Combine(folder, variant.Slug, $"seed-{seed}")),
            WithSeed(variant.Config, seed))))];

    public static RunConfig WithSeed(RunConfig config, long seed) =>
        Configuration.Set(config, [$"training.seed={seed}"]).OrThrow();

    /// <summary>A name as a folder: letters and digits, what stands between them as one hyphen.</summary>
    public static string SlugOf(string name) =>
        string.Join('-', string.Concat(name.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : ' '))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static GridVariant Variant(ExperimentFile file, RunConfig under, JsonProperty variant)
    {
        var slug = SlugOf(variant.Name);
        return slug.Length > 0
            ? new GridVariant(variant.Name, slug, Configuration.Overlay(under, $"{file.Path}, variant '{variant.Name}'", variant.Value).OrThrow())
            : throw new UserErrorException(UserError.NewValueInvalid(
                file.Path, "the name of a variant", variant.Name, "a name with a letter or digit of ASCII"));
    }

    private static void RequireDistinct(string path, List<GridVariant> variants)
    {
        if (variants.GroupBy(variant => variant.Slug).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UserErrorException(UserError.NewValueInvalid(
                path, "the name of a variant", twice.Last().Name, $"another name than '{twice.First().Name}', whose folder is {twice.Key} too"));
        }
    }

    /// <summary>Seeds come from the command line, and results under two protocols cannot stand in one table.</summary>
    private static void RequireComparable(string path, GridVariant first, GridVariant variant)
    {
        if (variant.Config.Training.Seed != first.Config.Training.Seed)
        {
            throw new UserErrorException(UserError.NewValueInvalid(
                $"{path}, variant '{variant.Name}'", "training.seed", $"{variant.Config.Training.Seed}",
                "the seed of every other variant; --seeds names several"));
        }

        if (variant.Config.Training.Protocol != first.Config.Training.Protocol)
        {
            throw new UserErrorException(UserError.NewValueInvalid(
                $"{path}, variant '{variant.Name}'", "training.protocol",
                Evaluation.EvaluationResult.NameOf(variant.Config.Training.Protocol),
                $"{Evaluation.EvaluationResult.NameOf(first.Config.Training.Protocol)} as '{first.Name}' has it"));
        }
    }
}
