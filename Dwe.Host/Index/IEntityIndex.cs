using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>
/// Where candidates come from: a knowledge base as one run sees it. The narrow seam behind which segments on this machine
/// stand, or a database: one conformance suite holds for all. Reading is safe from many threads; rows stay what they are for
/// as long as the index is open, whatever is added meanwhile.
/// </summary>
internal interface IEntityIndex : IDisposable
{
    /// <summary>Changes with every build, addition and removal; equal for equal content.</summary>
    string Version { get; }

    /// <summary>Entities, numbered from 0 to Count - 1.</summary>
    int Count { get; }

    /// <summary>Width of a vector.</summary>
    int Dimension { get; }

    /// <summary>The entity of a row.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    Entity Entity(int row);

    /// <summary>What is said of a row's entity, as it was encoded; "" where nothing is.</summary>
    string Description(int row);

    /// <summary>The row of an id, or -1.</summary>
    int RowOf(string id);

    /// <summary>The picture file of a row's entity on this machine, or null.</summary>
    string? ImageOf(int row);

    /// <summary>Copies a row's vector, of length 1: as exact as the index keeps it.</summary>
    void CopyVector(int row, Span<float> target);

    /// <summary>The nearest rows of each query by cosine, best first; equal cosines by row.</summary>
    /// <param name="queries">[count; Dimension], each of length 1.</param>
    /// <param name="top">How many rows a query.</param>
    /// <returns>[count][at most top]</returns>
    Found[][] Nearest(ReadOnlySpan<float> queries, int top);

    /// <summary>The rows whose names or aliases come closest to a text, best first; equal scores by row.</summary>
    Found[] Named(string text, int top);
}

/// <summary>A row that was found.</summary>
/// <param name="Row">Its number.</param>
/// <param name="Score">By which it was found: a cosine, or a lexical score. The two do not compare.</param>
internal readonly record struct Found(int Row, float Score);
