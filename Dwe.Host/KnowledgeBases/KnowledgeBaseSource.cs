using Dwe.Host.Index;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>A knowledge base as what an index is built from. The knowledge base must stay open meanwhile.</summary>
internal sealed class KnowledgeBaseSource(KnowledgeBase source) : IEntitySource
{
    public IndexedSource Card { get; } = new()
    {
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source.Folder))),
        Encoder = source.Manifest.Encoder,
        EntityText = source.Manifest.EntityText,
        FieldNames = source.Manifest.FieldNames,
        ImageFolders =
        [
            Path.Combine(Path.GetFullPath(source.Folder), KnowledgeBase.ImagesFolder), .. source.Manifest.ImageFolders,
        ],
    };

    public int Dimension => source.Manifest.Dimension;

    /// <summary>Those that have entities: what the others remove shows in what lives.</summary>
    public IReadOnlyList<IEntitySourceSegment> Segments { get; } =
        [.. source.Segments.Where(segment => segment.Entities.Count > 0).Select(segment => new Part(segment))];

    private sealed class Part(KnowledgeBaseSegment segment) : IEntitySourceSegment
    {
        public string ContentHash => segment.ContentHash;

        public IReadOnlyList<Entity> Entities => segment.Entities;

        public IReadOnlyList<bool> Live => segment.Live;

        public void CopyVectors(int first, Span<float> target) => segment.CopyTextVectors(first, target);
    }
}
