namespace Dwe.Host.Linking;

/// <summary>What a mention means: entities, best first, and whether it means none of them.</summary>
internal sealed record LinkAnswer
{
    public required string Mention { get; init; }

    /// <summary>At most <see cref="LinkRequest.Top"/>; empty where nothing was retrieved.</summary>
    public required IReadOnlyList<LinkedEntity> Entities { get; init; }

    /// <summary>The mention means nothing in the knowledge base: the best score lies below the threshold, or there is none.</summary>
    public required bool Nil { get; init; }

    /// <summary>The score below which a mention is NIL, chosen on dev; null where the run has none and NIL is never said of a candidate.</summary>
    public double? NilThreshold { get; init; }

    /// <summary>How many entities were compared.</summary>
    public required int Compared { get; init; }

    /// <summary>What was seen and weighed; null unless asked for.</summary>
    public MentionExplanation? Explanation { get; init; }

    /// <summary>Why the image could not be read; null where it could, or where there was none.</summary>
    public string? ImageFault { get; init; }

    /// <summary>What was not used, and why, e.g. an image where the run was trained without.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>An entity that a mention may mean.</summary>
internal sealed record LinkedEntity
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Description { get; init; }

    /// <summary>What <c>dwe eval</c> ranks by.</summary>
    public required double Score { get; init; }

    /// <summary>softmax of the scores of all that was compared, at the temperature chosen on dev (1 where there is none).</summary>
    public required double Probability { get; init; }

    /// <summary>Where the entity came from: <c>given</c>, <c>dense</c>, <c>lexical</c>, <c>prior</c>.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Whether the knowledge base has a picture of it on this machine.</summary>
    public bool HasImage { get; init; }

    /// <summary>What its score is made of; null unless asked for.</summary>
    public IReadOnlyList<Contribution>? Contributions { get; init; }
}

/// <summary>A share of a score.</summary>
/// <param name="Name">A unit (<c>text</c>, <c>vision</c>, <c>attributes</c>), what one read (<c>whole image</c>, <c>person 1</c>,
/// <c>face of person 1</c>, <c>scene</c>), or a lexical feature.</param>
/// <param name="Amount">In units of the score: all of an entity's together make it, but for what the mention itself brings.</param>
internal sealed record Contribution(string Name, double Amount);

/// <summary>What was seen of a mention and how much each unit weighed.</summary>
internal sealed record MentionExplanation
{
    /// <summary>The gates: how much of each unit the query takes. They sum to 1, or are empty.</summary>
    public required IReadOnlyList<Contribution> Units { get; init; }

    /// <summary>How much the vision unit read of the whole image.</summary>
    public double ImageAttention { get; init; }

    /// <summary>The persons or objects found in the image.</summary>
    public IReadOnlyList<SeenPart> Parts { get; init; } = [];

    /// <summary>The image as it was read, so that boxes can be placed.</summary>
    public ImageSize? Image { get; init; }
}

/// <summary>Pixels.</summary>
internal sealed record ImageSize(int Width, int Height);

/// <summary>A part of an image.</summary>
internal sealed record SeenPart
{
    /// <summary>The detector's class, e.g. <c>person</c>.</summary>
    public required string Label { get; init; }

    /// <summary>Pixels from the left, top.</summary>
    public required double Left { get; init; }

    public required double Top { get; init; }

    public required double Right { get; init; }

    public required double Bottom { get; init; }

    /// <summary>Gender, race, age, emotion as models guess them; null where no face was found or it is left out.</summary>
    public string? Profile { get; init; }

    /// <summary>How much of this part the vision unit read, between 0 and 1.</summary>
    public double? Attention { get; init; }
}
