using System.Text.Json.Serialization;
using Dwe.Host.Checkpoints;
using Dwe.Host.Enrichment;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Domain;

namespace Dwe.Host.Evaluation;

/// <summary>One system beside the first, on the same mentions under the same card.</summary>
internal sealed record ComparedSystem
{
    public required string Name { get; init; }
    public required double Value { get; init; }
    public required MeasureInterval Interval { get; init; }

    /// <summary>Fields of its entity text that a language model wrote; absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EnrichedField>? EnrichedBy { get; init; }

    /// <summary>Minus the first system's value, with its interval; null for the first.</summary>
    public double? Difference { get; init; }

    public MeasureInterval? DifferenceInterval { get; init; }

    /// <summary>Of a randomisation test over mentions, adjusted for the number of comparisons (Holm).</summary>
    public double? PValue { get; init; }

    /// <summary>The adjusted p-value is below 0.05.</summary>
    public bool? Significant { get; init; }
}

/// <summary>Results that may be compared, compared.</summary>
internal sealed record Comparison
{
    private const double Level = 0.05;
    private const string What = "a result of `dwe eval` or `dwe train`";

    /// <summary>Resampling is part of the measure: the same results compare the same.</summary>
    private const long Seed = 1;

    public string Format { get; init; } = "dwe-comparison-1";
    public required string Measure { get; init; }
    public required ProtocolCard Card { get; init; }
    public required IReadOnlyList<ComparedSystem> Systems { get; init; }

    /// <summary>Compares every result with the first.</summary>
    /// <exception cref="UserErrorException">StoreMismatch where cards differ; FileBroken where a result has no ranks.</exception>
    public static Comparison Of(IReadOnlyList<(string Path, EvaluationResult Result)> results, string measure)
    {
        var first = results[0];
        foreach (var other in results.Skip(1))
        {
            RequireSameCard(first, other);
        }

        var systems = WithFirst(
            [.. results.Select(result => (result.Result.System.Name, Values(result.Path, result.Result, first.Result, measure)))]);
        return new Comparison
        {
            Measure = measure,
            Card = first.Result.Card,
            Systems = [.. systems.Zip(results, (system, result) => system with { EnrichedBy = result.Result.System.EnrichedBy })],
        };
    }

    /// <summary>Compares every system with the first.</summary>
    /// <param name="systems">Names, and of each the value of every mention, mentions in one order.</param>
    internal static IReadOnlyList<ComparedSystem> WithFirst(IReadOnlyList<(string Name, double[] Values)> systems)
    {
        var differences = systems.Skip(1).Select(own => Evidence.Difference(Seed, systems[0].Values, own.Values)).ToArray();
        var adjusted = Evidence.Holm([.. differences.Select(difference => difference.PValue)]);
        return
        [
            Alone(systems[0]),
            .. differences.Select((difference, at) => Alone(systems[at + 1]) with
            {
                Difference = difference.Interval.Mean,
                DifferenceInterval = Bounds(difference.Interval),
                PValue = adjusted[at],
                Significant = adjusted[at] < Level,
            }),
        ];
    }

    /// <summary>The result that a name stands for: a file, or what a run keeps of a split under a protocol.</summary>
    /// <exception cref="UserErrorException">FileMissing or FileBroken.</exception>
    public static (string Path, EvaluationResult Result) Read(string name, string split, string protocol)
    {
        var path = Directory.Exists(name) ? new RunFolder(name).Result(split, protocol) : name;
        if (!File.Exists(path))
        {
            throw new UserErrorException(UserError.NewFileMissing(
                path, $"the result of {split} under {protocol}",
                Directory.Exists(name)
                    ? $"Make it: dwe eval --run {name} --split {split} --protocol {protocol}"
                    : "Name a run, or a file written by --json."));
        }

        return Read(path);
    }

    /// <summary>The result of a file.</summary>
    /// <exception cref="UserErrorException">FileMissing or FileBroken.</exception>
    public static (string Path, EvaluationResult Result) Read(string path)
    {
        var result = JsonFiles.Read<EvaluationResult>(path, What);
        if (result.Format != EvaluationResult.CurrentFormat || result.Card.DatasetHash.Length < 8)
        {
            throw new UserErrorException(UserError.NewFileBroken(path, "top level", $"format '{result.Format}'", What));
        }

        return (path, result);
    }

    private static ComparedSystem Alone((string Name, double[] Values) system)
    {
        var interval = Evidence.Interval(Seed, system.Values);
        return new ComparedSystem { Name = system.Name, Value = interval.Mean, Interval = Bounds(interval) };
    }

    private static MeasureInterval Bounds(Model.Linking.Interval interval) => new() { Low = interval.Low, High = interval.High };

    /// <summary>Refuses results that say nothing of each other.</summary>
    /// <exception cref="UserErrorException">StoreMismatch naming what of their cards differs.</exception>
    internal static void RequireSameCard(
        (string Path, EvaluationResult Result) first, (string Path, EvaluationResult Result) other)
    {
        var differing = typeof(ProtocolCard).GetProperties()
            .Select(property => (property.Name, First: property.GetValue(first.Result.Card), Other: property.GetValue(other.Result.Card)))
            .FirstOrDefault(field => !Equals(field.First, field.Other));
        if (differing.Name is not null)
        {
            throw new UserErrorException(UserError.NewStoreMismatch(
                other.Path, $"a card whose {JsonFiles.Options.PropertyNamingPolicy!.ConvertName(differing.Name)} is '{differing.Other}'",
                $"'{differing.First}' as in {first.Path}", "Only results under one card say anything of each other."));
        }
    }

    /// <summary>What each mention adds to the measure, in the order of the first result.</summary>
    /// <exception cref="UserErrorException">FileBroken where a result has no ranks, or those of other mentions.</exception>
    internal static double[] Values(string path, EvaluationResult result, EvaluationResult order, string measure)
    {
        if (result.Ranks is null || order.Ranks is null)
        {
            throw Broken(path, "no ranks", "a result with ranks of mentions; evaluate it again");
        }

        double Value(string key)
        {
            if (!result.Ranks.TryGetValue(key, out var rank))
            {
                throw Broken(path, $"no rank of mention '{key}'", "the mentions of the first result");
            }

            if (rank < 1)
            {
                throw Broken(path, $"rank {rank} of mention '{key}'", "ranks of at least 1");
            }

            var found = rank ?? double.PositiveInfinity;
            return measure == "mrr" ? 1 / found : found <= Within(measure) ? 1 : 0;
        }

        return [.. order.Ranks.Keys.Select(Value)];
    }

    private static int Within(string measure) =>
        int.Parse(measure.AsSpan("hits@".Length), System.Globalization.CultureInfo.InvariantCulture);

    private static UserErrorException Broken(string path, string found, string expected) =>
        new(UserError.NewFileBroken(path, "ranks", found, expected));
}
