namespace Dwe.Host.Data;

/// <summary>
/// WikiMEL as DWE lays it out: <c>train.json</c>, <c>dev.json</c> and perhaps <c>test.json</c> (key to record with
/// <c>sentence</c>, <c>mentions</c>, <c>answer</c>, <c>imgPath</c>), <c>qids_ordered.json</c> (row order of the entities),
/// <c>property.json</c> and/or <c>brief.json</c> (id to <c>Name [SEP]. description</c>), perhaps <c>qid2ne.json</c> and
/// <c>ne2qid.json</c> (names) and <c>search_top100.json</c> (candidates).
/// </summary>
internal sealed class WikiMelReader : IDatasetReader
{
    /// <inheritdoc/>
    public string Format => "WikiMEL";

    /// <inheritdoc/>
    public string Signature => $"train.json, dev.json, {DweLayout.Order}, property.json or brief.json";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["ImgData", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) => DweLayout.HasEntities(folder);

    /// <inheritdoc/>
    public Dataset Read(string folder) => DweLayout.Read(new DatasetFolder(folder, this));
}
