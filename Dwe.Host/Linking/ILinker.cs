namespace Dwe.Host.Linking;

/// <summary>
/// A run and a knowledge base, ready to link. One call at a time: whoever has many callers queues them. An answer depends on
/// its request alone, never on what else is in the batch.
/// </summary>
internal interface ILinker : IDisposable
{
    /// <summary>What is linked to, for whoever watches: names of run and index, and the number of entities.</summary>
    LinkerCard Card { get; }

    /// <summary>Links mentions; one answer a request, in their order.</summary>
    IReadOnlyList<LinkAnswer> Link(IReadOnlyList<LinkRequest> requests, CancellationToken cancel = default);

    /// <summary>An entity by its id, or null. Safe beside <see cref="Link"/>.</summary>
    KnownEntity? Find(string id);

    /// <summary>The picture file of an entity, or null. Safe beside <see cref="Link"/>.</summary>
    string? ImageOf(string id);
}

/// <summary>What a linker is made of.</summary>
internal sealed record LinkerCard
{
    public required string Run { get; init; }

    public required string Index { get; init; }

    public required int Entities { get; init; }

    /// <summary>Whether the run was trained with images, so that one matters.</summary>
    public required bool SeesImages { get; init; }
}

/// <summary>An entity as it is shown.</summary>
internal sealed record KnownEntity
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public IReadOnlyList<string> Aliases { get; init; } = [];

    public string Type { get; init; } = "";

    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    public bool HasImage { get; init; }
}
