namespace Dwe.Host.Data.Check;

/// <summary>What a data set holds and what is wrong with it; printed as a table or as JSON.</summary>
internal sealed record DatasetReport
{
    public required string Folder { get; init; }

    public required string Format { get; init; }

    public required string ContentHash { get; init; }

    /// <summary>By split name.</summary>
    public required IReadOnlyDictionary<string, SplitReport> Splits { get; init; }

    /// <summary>Every two splits.</summary>
    public required IReadOnlyList<OverlapReport> Overlaps { get; init; }

    public required KnowledgeBaseReport KnowledgeBase { get; init; }

    /// <summary>What the reader mended or left out.</summary>
    public required IReadOnlyDictionary<string, int> Remarks { get; init; }

    /// <summary>Why training on it would be unsound; empty where it would not.</summary>
    public required IReadOnlyList<string> Unsound { get; init; }
}

/// <summary>One split. All are numbers of mentions unless they say otherwise.</summary>
internal sealed record SplitReport
{
    public required int Mentions { get; init; }

    /// <summary>Different gold entities.</summary>
    public required int GoldEntities { get; init; }

    /// <summary>The gold is an entity that the knowledge base lacks.</summary>
    public required int GoldOutsideKb { get; init; }

    public required int Nil { get; init; }

    public required int Unlabelled { get; init; }

    /// <summary>Different gold entities that train does not mention; null for train itself.</summary>
    public required int? UnseenEntities { get; init; }

    /// <summary>The gold is one of those.</summary>
    public required int? MentionsOfUnseen { get; init; }

    public required int WithoutText { get; init; }

    /// <summary>The mention's text does not stand in its sentence, letter by letter.</summary>
    public required int NotInSentence { get; init; }

    /// <summary>Records equal to an earlier one of the split in all but the key.</summary>
    public required int Duplicates { get; init; }

    public required int WithoutImage { get; init; }

    public required ImagesReport Images { get; init; }

    /// <summary>Null where no candidates come with the data set.</summary>
    public required CandidatesReport? Candidates { get; init; }
}

/// <summary>Different images that records name.</summary>
internal sealed record ImagesReport
{
    public required int Named { get; init; }

    public required int Missing { get; init; }

    /// <summary>There, but cannot be decoded.</summary>
    public required int Unreadable { get; init; }

    /// <summary>There, but with more pixels than are decoded.</summary>
    public required int TooLarge { get; init; }

    /// <summary>The first names of each kind, for people who look for them.</summary>
    public required IReadOnlyList<string> Examples { get; init; }
}

/// <summary>The candidates of one split.</summary>
internal sealed record CandidatesReport
{
    public required string Source { get; init; }

    /// <summary>Mentions without a list.</summary>
    public required int Without { get; init; }

    /// <summary>Different ids in the lists that the knowledge base lacks.</summary>
    public required int UnknownIds { get; init; }

    /// <summary>Share of the split's mentions whose gold is among the first K.</summary>
    public required IReadOnlyDictionary<string, double> Recall { get; init; }

    /// <summary>Why the file cannot be used; then the numbers are 0.</summary>
    public required string? Problem { get; init; }
}

/// <summary>What two splits share.</summary>
internal sealed record OverlapReport
{
    public required string Left { get; init; }

    public required string Right { get; init; }

    /// <summary>Mention keys in both.</summary>
    public required int Keys { get; init; }

    /// <summary>Of those, keys that stand for different records.</summary>
    public required int KeysOfDifferentRecords { get; init; }

    /// <summary>Records in both, equal in all but the key.</summary>
    public required int Records { get; init; }

    /// <summary>Different sentences in both.</summary>
    public required int Sentences { get; init; }

    /// <summary>Gold entities in both.</summary>
    public required int Entities { get; init; }
}

/// <summary>The knowledge base.</summary>
internal sealed record KnowledgeBaseReport
{
    public required int Entities { get; init; }

    /// <summary>Known by their id alone.</summary>
    public required int WithoutName { get; init; }

    /// <summary>Entities without any description.</summary>
    public required int WithoutDescription { get; init; }

    /// <summary>Entities that have each description field.</summary>
    public required IReadOnlyDictionary<string, int> Descriptions { get; init; }

    /// <summary>Different names that several entities bear.</summary>
    public required int HomonymNames { get; init; }

    /// <summary>Entities that bear such a name.</summary>
    public required int HomonymEntities { get; init; }

    public required ImagesReport Images { get; init; }
}
