using System.Globalization;
using System.Text.Json;
using Dwe.Host.Checkpoints;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Experiments;

/// <summary>One point of a space.</summary>
/// <param name="Name">Its number, as its folder.</param>
/// <param name="Values">Key and value, as text.</param>
/// <param name="Config">Preset, base and these values.</param>
internal sealed record SweepTrial(string Name, IReadOnlyDictionary<string, string> Values, RunConfig Config);

/// <summary>
/// Configurations to try: <c>{"preset", "base", "space": {KEY: [VALUES] | {"from", "to", "scale": "linear" | "log"}}, "method":
/// "grid" | "random", "trials", "seed"}</c>. Trial i of a random sweep depends on seed and i alone, so more trials go on where
/// fewer ended.
/// </summary>
internal sealed record SweepSpace(string? Preset, IReadOnlyList<string> Keys, IReadOnlyList<SweepTrial> Trials)
{
    private const string What = "a space: an object of preset, base, space, method, trials and seed";
    private const int MostTrials = 10_000;
    private static readonly string[] Measuring = ["training.protocol", "training.select_by"];

    /// <exception cref="UserErrorException">FileMissing; FileBroken; KeyUnknown; ValueInvalid naming the key or the trial.</exception>
    public static SweepSpace Read(string path)
    {
        using var file = ExperimentFile.Open(path, What, "preset", "base", "space", "method", "trials", "seed");
        var under = file.Base();
        var axes = file.Member("space") is { ValueKind: JsonValueKind.Object } space
            ? space.EnumerateObject().Select(axis => SweepAxis.Read(file, axis)).ToList()
            : [];
        if (axes.Count == 0)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, "space", "none", "an object {key: [values] or {from, to, scale}} of at least one key"));
        }

        if (axes.GroupBy(axis => axis.Key).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw file.Invalid("space", twice.Key, "every key once");
        }

        if (axes.FirstOrDefault(axis => Measuring.Contains(axis.Key)) is { } measuring)
        {
            throw file.Invalid("space", measuring.Key, "a key that does not decide how trials are measured");
        }

        var isGrid = IsGrid(file);
        var points = isGrid ? Grid(file, axes) : Random(file, axes);
        return new SweepSpace(
            file.Preset, [.. axes.Select(axis => axis.Key)],
            [.. points.Select((values, at) => Trial(path, under, at + 1, [.. axes.Zip(values, (axis, value) => (axis.Key, value))]))]);
    }

    /// <summary>A run for every trial.</summary>
    public IReadOnlyList<PlannedRun> Plan(string folder) =>
        [.. Trials.Select(trial => new PlannedRun(
            $"{trial.Name} ({string.Join(", ", trial.Values.Select(value => $"{value.Key}={value.Value}"))})",
            new RunFolder(Path.Combine(folder, trial.Name)), trial.Config))];

    private static bool IsGrid(ExperimentFile file) => file.Member("method") switch
    {
        null => false,
        { ValueKind: JsonValueKind.String } method when method.GetString() is "grid" or "random" => method.GetString() == "grid",
        { } method => throw file.Invalid("method", method.ToString(), "grid or random"),
    };

    /// <summary>Every combination, the last key changing fastest.</summary>
    private static IEnumerable<string[]> Grid(ExperimentFile file, List<SweepAxis> axes)
    {
        foreach (var axis in axes.Where(axis => axis.Choices is null))
        {
            throw file.Invalid($"space, {axis.Key}", "a range", "a list of values, or method random");
        }

        if (file.Member("trials") is { } trials)
        {
            throw file.Invalid("trials", trials.GetRawText(), "none with method grid, which tries every combination");
        }

        var count = axes.Aggregate(1.0, (product, axis) => product * axis.Choices!.Count);
        return count <= MostTrials
            ? axes.Aggregate(
                (IEnumerable<string[]>)[[]],
                (points, axis) => points.SelectMany(point => axis.Choices!.Select(value => (string[])[.. point, value])))
            : throw file.Invalid("space", $"{count:N0} combinations", $"at most {MostTrials:N0}, or method random");
    }

    private static IEnumerable<string[]> Random(ExperimentFile file, List<SweepAxis> axes)
    {
        var trials = Whole(file, "trials", 1, MostTrials)
            ?? throw file.Invalid("trials", "nothing", "how many points to draw with method random");
        var seed = Whole(file, "seed", 0, long.MaxValue) ?? 1;
        return Enumerable.Range(0, (int)trials).Select(trial =>
        {
            var random = new SeededRandom(Seed.derive(seed, "sweep", trial));
            return axes.Select(axis => axis.Draw(random)).ToArray();
        });
    }

    private static long? Whole(ExperimentFile file, string key, long low, long high) => file.Member(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var value) && value >= low && value <= high => value,
        { } other => throw file.Invalid(key, other.GetRawText(), $"a whole number from {low} to {high}"),
    };

    private static SweepTrial Trial(string path, RunConfig under, int number, (string Key, string Value)[] values)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"trial-{number:0000}");
        using var changes = JsonSerializer.SerializeToDocument(values.ToDictionary(value => value.Key, value => value.Value));
        return new SweepTrial(
            name, values.ToDictionary(value => value.Key, value => value.Value),
            Configuration.Overlay(under, $"{path}, {name}", changes.RootElement).OrThrow());
    }
}
