using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Checkpoints;
using Dwe.Host.Features;
using Dwe.Host.Training;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>The entities of a data set with the vectors of its feature store: one segment, all of which lives.</summary>
internal sealed class DatasetSource : IEntitySource, IEntitySourceSegment
{
    private readonly FeatureKind vectors;

    public DatasetSource(RunData data)
    {
        vectors = data.Store.Table(FeatureStore.Entities).Kind(FeatureJob.TextKind);
        Entities = data.Dataset.Entities;
        Live = [.. Enumerable.Repeat(true, Entities.Count)];
        ContentHash = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{data.Dataset.ContentHash} {data.FeaturesHash}")));
        Card = new IndexedSource
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(data.Dataset.Folder))),
            Encoder = RunEncoders.Of(data.Store.Manifest).Text,
            EntityText = data.Store.Manifest.EntityText,
            FieldNames = data.Dataset.FieldNames,
            ImageFolders = [.. data.Dataset.EntityImageFolders.Select(Path.GetFullPath)],
        };
    }

    public IndexedSource Card { get; }

    public int Dimension => vectors.Dim;

    public IReadOnlyList<IEntitySourceSegment> Segments => [this];

    public string ContentHash { get; }

    public IReadOnlyList<Entity> Entities { get; }

    public IReadOnlyList<bool> Live { get; }

    public void CopyVectors(int first, Span<float> target)
    {
        var (skip, filled) = ((long)first * Dimension, 0);
        foreach (var view in vectors.Segments)
        {
            if (skip >= view.Length)
            {
                skip -= view.Length;
                continue;
            }

            var here = view.Span[(int)skip..];
            here = here[..Math.Min(here.Length, target.Length - filled)];
            here.CopyTo(target[filled..]);
            (skip, filled) = (0, filled + here.Length);
            if (filled == target.Length) return;
        }
    }
}
