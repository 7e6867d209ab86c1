using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Model.Domain;

namespace Dwe.Host.Import;

/// <summary>How DWE's code names and numbers the features of one of its four data sets.</summary>
/// <param name="Dataset">The format that the data set's own files are read as.</param>
/// <param name="Name">The word in its files' names: <c>cached_train_wiki_clip</c>.</param>
/// <param name="ClassName">The class of its records.</param>
/// <param name="KeyField">The field that says which mention a record is of.</param>
/// <param name="Keys">What that field holds.</param>
/// <param name="OrderFile">The row order of its entity matrix.</param>
/// <param name="EntityFiles">The entity matrix: names or patterns, the first that is there.</param>
internal sealed record ImportFormat(
    string Dataset, string Name, string ClassName, string KeyField, RecordKeys Keys, string OrderFile, IReadOnlyList<string> EntityFiles)
{
    /// <summary>Fields of a record that hold vectors, and the kinds that they become.</summary>
    public static readonly IReadOnlyList<(string Field, string Kind)> Kinds =
    [
        ("mention_feature", FeatureJob.MentionKind),
        ("text_feature", FeatureJob.TextKind),
        ("total_feature", FeatureKinds.Image),
        ("image_feature", FeatureKinds.Image),
        ("segement_feature", FeatureKinds.Parts),
        ("profile_feature", FeatureKinds.Profile),
    ];

    /// <summary>The four.</summary>
    public static readonly IReadOnlyList<ImportFormat> All =
    [
        new("WikiMEL", "wiki", "prepare_wikipedia.InputFeatures", "key_id", RecordKeys.MentionKey, "qids_ordered.json", ["gt_feats_*.h5"]),
        new("RichpediaMEL", "rich", "prepare_richpedia.InputFeatures", "key_id", RecordKeys.MentionKey, "qids_ordered.json", ["gt_feats_*.h5"]),
        new("WikiDiverse", "diverse", "prepare_wikidiverse.InputFeatures", "guk", RecordKeys.Place, "entity_list.json",
            ["text_entity.h5", "gt_feats_brief.h5"]),
        new("WikiPerson", "person", "prepare_wikiperson.InputFeatures", "img_id", RecordKeys.ImageStem, "entity_list.json", ["text_entity.h5"]),
    ];

    /// <summary>The file of a split.</summary>
    public string CacheOf(string split) => $"cached_{split}_{Name}_clip";

    /// <summary>The format that was named, or the one whose files are there.</summary>
    /// <exception cref="UserErrorException">FileMissing for none, UsageWrong for several.</exception>
    public static ImportFormat Of(string folder, string? name)
    {
        if (name is not null) return All.First(format => format.Name == name);
        var there = All.Where(format => Splits.All.Any(split => File.Exists(Path.Combine(folder, format.CacheOf(split))))).ToArray();
        return there switch
        {
            [var only] => only,
            [] => throw new UserErrorException(UserError.NewFileMissing(
                Path.Combine(folder, "cached_train_wiki_clip"),
                $"features cached by DWE, cached_{{train,dev,test}}_{{{string.Join(",", All.Select(format => format.Name))}}}_clip",
                "Check --data.")),
            _ => throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder} holds features of {string.Join(" and ", there.Select(format => format.Name))}",
                "Name one of them with --format.")),
        };
    }
}

/// <summary>What the key of a cached record is.</summary>
internal enum RecordKeys
{
    /// <summary>The mention's key in its file.</summary>
    MentionKey,

    /// <summary>The mention's place in its file, from 0.</summary>
    Place,

    /// <summary>The stem of the mention's image: mentions of one image share a record.</summary>
    ImageStem,
}
