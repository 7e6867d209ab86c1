using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Linking;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>What a report says; everything has been read and computed.</summary>
internal sealed record RunReport
{
    public required IReadOnlyList<ReportedRun> Runs { get; init; }

    /// <summary>Of results under one card, of at least two runs.</summary>
    public required IReadOnlyList<ReportedComparison> Comparisons { get; init; }

    public required IReadOnlyList<ReportedAblation> Ablations { get; init; }
}

/// <summary>One run.</summary>
internal sealed record ReportedRun
{
    /// <summary>Its folder's name; with a number where another run of the report has the same.</summary>
    public required string Name { get; init; }

    public required RunManifest Manifest { get; init; }

    public required IReadOnlyList<ReportedKey> Config { get; init; }

    public required IReadOnlyList<HistoryPoint> History { get; init; }

    /// <summary>The step of the best checkpoint; null where there is none.</summary>
    public required long? BestStep { get; init; }

    /// <summary>In the order of their files' names.</summary>
    public required IReadOnlyList<ReportedResult> Results { get; init; }

    /// <summary>Null where none were asked for.</summary>
    public required WrongLinks? Wrong { get; init; }
}

/// <summary>A key of the configuration.</summary>
internal sealed record ReportedKey(string Name, string Value, string Meaning, bool IsDefault);

/// <summary>A result and the name of its file without ending, e.g. <c>dev-strict</c>.</summary>
internal sealed record ReportedResult(string Name, EvaluationResult Result);

/// <summary>Runs that were evaluated under one card, by one measure.</summary>
/// <param name="Result">The name of their results, e.g. <c>dev-strict</c>.</param>
/// <param name="Names">Of the runs, in the order of the comparison's systems.</param>
/// <param name="Comparison">The first against each other.</param>
internal sealed record ReportedComparison(string Result, IReadOnlyList<string> Names, Comparison Comparison);

/// <summary>The mentions of dev that a run links wrongly, with the reasons.</summary>
internal sealed record WrongLinks
{
    /// <summary>Why nothing can be shown, e.g. features that are gone; null where it can.</summary>
    public string? Absent { get; init; }

    /// <summary>Mentions of dev, and the protocol under which they were compared.</summary>
    public int Mentions { get; init; }

    public string Protocol { get; init; } = "";

    /// <summary>The gold was compared, and another entity came first.</summary>
    public int RankedBelow { get; init; }

    /// <summary>The gold is in the knowledge base and was not compared.</summary>
    public int NotCompared { get; init; }

    /// <summary>The gold is no entity of the knowledge base.</summary>
    public int OutsideKb { get; init; }

    public IReadOnlyList<WrongLink> Examples { get; init; } = [];
}

/// <summary>A mention whose first candidate is not its gold.</summary>
internal sealed record WrongLink
{
    public required Mention Mention { get; init; }

    /// <summary>The first of its images that can be read, with what was seen in it.</summary>
    public required SeenImage? Image { get; init; }

    /// <summary>Why no image is shown, where the mention has one.</summary>
    public required string? ImageNote { get; init; }

    /// <summary>Best first.</summary>
    public required IReadOnlyList<RankedEntity> First { get; init; }

    /// <summary>The gold, wherever it stands; null where the knowledge base lacks it.</summary>
    public required RankedEntity? Gold { get; init; }

    public required int Compared { get; init; }

    /// <summary>What moved the scores, the most telling first; null where the gold cannot be scored.</summary>
    public required IReadOnlyList<Reason>? Reasons { get; init; }

    /// <summary>How much of each unit the query takes; empty for a model without gates.</summary>
    public required IReadOnlyList<Contribution> Gates { get; init; }

    /// <summary>How much the vision unit read of the whole image, and of each part; empty where it reads none.</summary>
    public required IReadOnlyList<Contribution> Attention { get; init; }
}

/// <summary>A picture with boxes in its own pixels.</summary>
internal sealed record SeenImage(Html Address, string Name, int Width, int Height, IReadOnlyList<SeenPart> Parts);

/// <summary>An entity in a ranking.</summary>
/// <param name="Entity">What is shown of it.</param>
/// <param name="Rank">From 1; null for a gold that was not compared.</param>
/// <param name="Score">What is ranked by; of a gold that was not compared, what it would have had.</param>
/// <param name="Probability">At the temperature chosen on dev; null without one, and for what was not compared.</param>
/// <param name="IsGold">It is the gold.</param>
internal sealed record RankedEntity(ReportEntity Entity, double? Rank, double Score, double? Probability, bool IsGold);

/// <summary>A share of two scores: of the first candidate's, and of the gold's.</summary>
internal sealed record Reason(string Name, double First, double Gold)
{
    /// <summary>Above 0: it speaks for the wrong one.</summary>
    public double Difference => First - Gold;
}
