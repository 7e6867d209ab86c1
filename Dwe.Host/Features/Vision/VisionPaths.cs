using Dwe.Host.Features.Tfjs;
using Dwe.Host.Features.Weights;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Vision;

/// <summary>Where the default vision nets are on this machine, as ONNX.</summary>
internal sealed record VisionPaths
{
    /// <summary>Changes when any picture is brought to a net, or any answer read, differently.</summary>
    public const string Version = "1";

    public required string Objects { get; init; }

    public required string PersonMask { get; init; }

    public required string Faces { get; init; }

    public required string Gear { get; init; }

    public required string FaceRes { get; init; }

    public required string Emotion { get; init; }

    public required string AgeGender { get; init; }

    public required string Landmarks { get; init; }

    public required string Recognition { get; init; }

    /// <summary>What an analysis was made with: packages, converters, this code.</summary>
    public static string Id { get; } =
        $"vision-{Version}/human-models-{WeightCatalogue.HumanModels.Version}/face-api-{WeightCatalogue.FaceApi.Version}"
        + $"/onnx-{TfjsToOnnx.Version}-{FaceApiNets.Version}";

    /// <summary>Finds the nets; fetches and converts those that are not there yet.</summary>
    /// <exception cref="UserErrorException">The weights are absent and cannot be fetched, or are damaged.</exception>
    public static VisionPaths Ensure(WeightCache cache, Action<string>? report = null, CancellationToken cancel = default)
    {
        var human = cache.Ensure(WeightCatalogue.HumanModels, report, cancel);
        var faceApi = cache.Ensure(WeightCatalogue.FaceApi, report, cancel);
        var converted = new ConvertedModels(cache.ConvertedFolder);
        string Model(string name, params string[] outputs) =>
            converted.PathOf(name, Path.Combine(human, "models", name + ".json"), outputs);
        string Manifest(string name) => Path.Combine(faceApi, "model", name + "_model-weights_manifest.json");
        return new VisionPaths
        {
            Objects = Model("centernet", ObjectDetector.Output),
            PersonMask = Model("selfie", PersonMasks.Output),
            Faces = Model("blazeface", FaceDetector.Outputs),
            Gear = Model("gear"),
            FaceRes = Model("faceres"),
            Emotion = Model("emotion"),
            AgeGender = converted.PathOf("face-api-age-gender", Manifest("age_gender"), FaceApiNets.Version, FaceApiNets.AgeGender),
            Landmarks = converted.PathOf("face-api-landmarks", Manifest("face_landmark_68"), FaceApiNets.Version, FaceApiNets.Landmarks68),
            Recognition = converted.PathOf("face-api-recognition", Manifest("face_recognition"), FaceApiNets.Version, FaceApiNets.Recognition),
        };
    }
}
