using Dwe.Host.Data;
using Dwe.Host.Enrichment;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>The knowledge base of a data set.</summary>
internal sealed class DatasetEntities(Dataset dataset) : IEntityFeed
{
    private const int ReportEvery = 1000;

    public string Name => dataset.Folder;

    public string Unit => "entities";

    public IReadOnlyList<string> FieldNames => dataset.FieldNames;

    public IReadOnlyList<EnrichedField> EnrichedBy => dataset.EnrichedBy;

    public IReadOnlyList<string> ImageFolders => dataset.EntityImageFolders;

    public IReadOnlyDictionary<string, long> Remarks { get; } = new Dictionary<string, long>();

    public IEnumerable<Entity> Read(Action<long, long> progress, string scratch, CancellationToken stop)
    {
        for (var at = 0; at < dataset.Entities.Count; at++)
        {
            if (at % ReportEvery == 0)
            {
                stop.ThrowIfCancellationRequested();
                progress(at, dataset.Entities.Count);
            }

            yield return dataset.Entities[at];
        }
    }
}
