namespace Dwe.Host.Data;

/// <summary>
/// A user's own data in JSON Lines: <c>train.jsonl</c>, <c>dev.jsonl</c>, <c>test.jsonl</c> (or one <c>mentions.jsonl</c> with
/// <c>split</c>) with <c>mention</c>, <c>sentence</c>, <c>image</c>, <c>entity</c> and perhaps <c>key</c>, <c>type</c>, <c>box</c>,
/// <c>candidates</c>; <c>entities.jsonl</c> with <c>id</c>, <c>name</c>, <c>aliases</c>, <c>type</c>, <c>image</c>, every further text
/// being a description.
/// </summary>
internal sealed class JsonLinesReader : IDatasetReader
{
    private const string Ending = ".jsonl";

    /// <inheritdoc/>
    public string Format => "JSONL";

    /// <inheritdoc/>
    public string Signature => "train.jsonl, dev.jsonl or mentions.jsonl, and entities.jsonl";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["images"];

    /// <inheritdoc/>
    public IReadOnlyList<string> EntityImageFolders => ["entity_images", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) => OwnRecords.Recognises(folder, Ending);

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        return OwnRecords.Read(folder, Ending, name => JsonLines.Read(folder.PathOf(name), hash => folder.AddHash(name, hash)));
    }
}
