using Dwe.Host.Evaluation;

namespace Dwe.Host.Experiments;

/// <summary>A trial and what it reached on dev.</summary>
internal sealed record SweptTrial
{
    /// <summary>Its folder below that of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>Key and value of what was tried.</summary>
    public required IReadOnlyDictionary<string, string> Values { get; init; }

    public required IReadOnlyDictionary<string, double?> Metrics { get; init; }
}

/// <summary>Trials of a space, the best first: by the measure that selects checkpoints, then by mrr, then in their order.</summary>
internal sealed record Sweep
{
    public string Format { get; init; } = "dwe-sweep-1";
    public required string SelectBy { get; init; }
    public required ProtocolCard Card { get; init; }
    public required IReadOnlyList<SweptTrial> Trials { get; init; }

    /// <exception cref="Model.Domain.UserErrorException">StoreMismatch where trials were measured under several cards.</exception>
    public static Sweep Of(SweepSpace space, IReadOnlyList<EvaluationResult> results)
    {
        foreach (var (trial, result) in space.Trials.Zip(results))
        {
            Comparison.RequireSameCard((space.Trials[0].Name, results[0]), (trial.Name, result));
        }

        var measure = space.Trials[0].Config.Training.SelectBy;
        return new Sweep
        {
            SelectBy = measure,
            Card = results[0].Card,
            Trials = [.. space.Trials.Zip(results)
                .OrderByDescending(pair => pair.Second.Measure(measure))
                .ThenByDescending(pair => pair.Second.Measure("mrr"))
                .Select(pair => new SweptTrial { Name = pair.First.Name, Values = pair.First.Values, Metrics = pair.Second.Metrics })],
        };
    }

    public TextTable ToTable()
    {
        string[] keys = [.. Trials[0].Values.Keys];
        string[] measures = [.. new[] { SelectBy, "hits@1", "mrr" }.Distinct()];
        return new TextTable(
            ["trial", .. keys.Select(key => Headed(key, keys)), .. measures],
            [.. Trials.Select(trial => (IReadOnlyList<string>)
            [
                trial.Name,
                .. keys.Select(key => Short(trial.Values[key])),
                .. measures.Select(measure => Spread.Percent(trial.Metrics[measure] ?? 0)),
            ])],
            $"{Card.Protocol}: {Card.Split} of {Card.Dataset} {Card.DatasetHash[..8]}, {Card.Mentions:N0} mentions. Percent, by {SelectBy}. "
            + "The best of many trials on one split is better there than elsewhere.");
    }

    /// <summary>A key without its section, where no other key has that name.</summary>
    private static string Headed(string key, string[] keys)
    {
        static string Last(string key) => key[(key.LastIndexOf('.') + 1)..];
        return keys.Count(other => Last(other) == Last(key)) == 1 ? Last(key) : key;
    }

    /// <summary>Four digits are enough to read; the file has all of them.</summary>
    private static string Short(string value) =>
        double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? number.ToString("G4", System.Globalization.CultureInfo.InvariantCulture)
            : value;
}
