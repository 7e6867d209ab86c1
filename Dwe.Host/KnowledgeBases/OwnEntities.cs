using Dwe.Host.Data;
using Dwe.Host.Enrichment;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>Entities of a JSON Lines or CSV file with the fields of a data set's <c>entities.jsonl</c>. Read twice: the first
/// time for the names of its fields, so that a wrong template is found before anything is encoded.</summary>
internal sealed class OwnEntities : IEntityFeed
{
    private const int ReportEvery = 1000;

    private readonly long count;

    /// <summary>Reads the file once.</summary>
    /// <exception cref="UserErrorException">FileMissing; FileBroken naming the line.</exception>
    public OwnEntities(string path)
    {
        Name = path;
        var fields = new HashSet<string>();
        var namesImages = false;
        foreach (var entity in Entities(path))
        {
            fields.UnionWith(entity.Fields.Keys);
            namesImages |= entity.Images.Length > 0;
            count++;
        }

        FieldNames = [.. fields.Order(StringComparer.Ordinal)];
        EnrichedBy = [.. EnrichmentCard.FieldsBeside(path).Where(written => fields.Contains(written.Field))];
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        ImageFolders = namesImages ? [Path.Combine(folder, "entity_images"), Path.Combine(folder, "images"), folder] : [];
    }

    public string Name { get; }

    public string Unit => "entities";

    public IReadOnlyList<string> FieldNames { get; }

    public IReadOnlyList<EnrichedField> EnrichedBy { get; }

    public IReadOnlyList<string> ImageFolders { get; }

    public IReadOnlyDictionary<string, long> Remarks { get; } = new Dictionary<string, long>();

    /// <summary>Whether a file is one of these, by its name.</summary>
    public static bool Recognises(string path) => IsCsv(path) || path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);

    /// <summary>The ids of a file's records.</summary>
    public static IEnumerable<string> Ids(string path) => Entities(path).Select(entity => entity.Id);

    public IEnumerable<Entity> Read(Action<long, long> progress, string scratch, CancellationToken stop)
    {
        var done = 0L;
        foreach (var entity in Entities(Name))
        {
            if (done++ % ReportEvery == 0)
            {
                stop.ThrowIfCancellationRequested();
                progress(done, count);
            }

            yield return entity;
        }
    }

    private static bool IsCsv(string path) => path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<Entity> Entities(string path) =>
        IsCsv(path) ? CsvReader.ReadEntities(path) : JsonLines.ReadEntities(path);
}
