using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>What an index is built from: entities with the vectors of their encoded texts, in segments that never change.</summary>
internal interface IEntitySource
{
    IndexedSource Card { get; }

    /// <summary>Width of the encoded texts.</summary>
    int Dimension { get; }

    IReadOnlyList<IEntitySourceSegment> Segments { get; }
}

/// <summary>A segment of a source.</summary>
internal interface IEntitySourceSegment
{
    /// <summary>Equal for equal entities and vectors.</summary>
    string ContentHash { get; }

    /// <summary>By row, the dead ones too.</summary>
    IReadOnlyList<Entity> Entities { get; }

    /// <summary>By row: whether it is still what its id means.</summary>
    IReadOnlyList<bool> Live { get; }

    /// <summary>Copies encoded texts from a row on; <paramref name="target"/> holds a whole number of them.</summary>
    void CopyVectors(int first, Span<float> target);
}

/// <summary>How encoded texts become what queries are compared with.</summary>
internal interface IEntityProjection
{
    IndexedRun Card { get; }

    /// <summary>Width of what comes out.</summary>
    int Dimension { get; }

    /// <summary>How many rows are best projected at once.</summary>
    int RowsAtOnce { get; }

    /// <summary>[rows; width] to [rows; <see cref="Dimension"/>], not normalised.</summary>
    float[] Project(float[] rows, int width);
}
