namespace Dwe.Host.Data;

/// <summary>
/// RichpediaMEL as DWE lays it out: as <see cref="WikiMelReader"/>, but a record has <c>img_list</c>, any number of images
/// or none, in place of <c>imgPath</c>, and there is a longer <c>property_long.json</c>.
/// </summary>
internal sealed class RichpediaMelReader : IDatasetReader
{
    /// <inheritdoc/>
    public string Format => "RichpediaMEL";

    /// <inheritdoc/>
    public string Signature =>
        $"train.json, dev.json, {DweLayout.Order}, property_long.json or records with img_list";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["ImgData/richpedia/images", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder)
    {
        var train = JsonShape.Of(Path.Combine(folder, "train.json"));
        var own = File.Exists(Path.Combine(folder, "property_long.json")) || train.Fields.Contains("img_list");
        return DweLayout.HasEntities(folder) && train.IsObjectOfRecords && own;
    }

    /// <inheritdoc/>
    public Dataset Read(string folder) => DweLayout.Read(new DatasetFolder(folder, this));
}
