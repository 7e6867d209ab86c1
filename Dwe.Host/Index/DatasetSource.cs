using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Checkpoints;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Index;

/// <summary>
/// The entities of a data set with the vectors of its feature store, and of their images where the run sees those: one segment,
/// all of which lives. The data must stay open meanwhile.
/// </summary>
internal sealed class DatasetSource : IEntitySource, IEntitySourceSegment
{
    private readonly torch.Tensor vectors;

    public DatasetSource(RunData data, Matcher matcher)
    {
        vectors = data.EntitiesFor(matcher);
        Entities = data.Dataset.Entities;
        Live = [.. Enumerable.Repeat(true, Entities.Count)];
        ContentHash = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{data.Dataset.ContentHash} {data.FeaturesHash} {matcher.SeesEntityImages}")));
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

    public int Dimension => (int)vectors.shape[1];

    public IReadOnlyList<IEntitySourceSegment> Segments => [this];

    public string ContentHash { get; }

    public IReadOnlyList<Entity> Entities { get; }

    public IReadOnlyList<bool> Live { get; }

    public void CopyVectors(int first, Span<float> target)
    {
        using var scope = torch.NewDisposeScope();
        var rows = vectors.narrow(0, first, target.Length / Dimension).contiguous();
        MemoryMarshal.Cast<byte, float>(rows.bytes).CopyTo(target);
    }
}
