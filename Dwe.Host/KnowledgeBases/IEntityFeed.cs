using Dwe.Host.Enrichment;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>Where entities come from, one after the other.</summary>
internal interface IEntityFeed
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>What positions count, in the plural.</summary>
    string Unit { get; }

    /// <summary>Description fields that its entities may have.</summary>
    IReadOnlyList<string> FieldNames { get; }

    /// <summary>Those that a language model wrote.</summary>
    IReadOnlyList<EnrichedField> EnrichedBy => [];

    /// <summary>Folders in which its images lie.</summary>
    IReadOnlyList<string> ImageFolders { get; }

    /// <summary>What was left out, once it has been read: words that follow a number, and that number.</summary>
    IReadOnlyDictionary<string, long> Remarks { get; }

    /// <summary>Reads it. An id may come more than once: the last one counts.</summary>
    /// <param name="progress">Hears (position, length).</param>
    /// <param name="scratch">A folder for what is needed meanwhile.</param>
    /// <param name="stop">Stops between entities.</param>
    /// <exception cref="UserErrorException">FileMissing or FileBroken.</exception>
    IEnumerable<Entity> Read(Action<long, long> progress, string scratch, CancellationToken stop);
}
