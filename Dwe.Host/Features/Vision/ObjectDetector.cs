namespace Dwe.Host.Features.Vision;

/// <summary>Something that was seen: where, how surely, and what.</summary>
/// <param name="Box">In the image's pixels.</param>
/// <param name="Score">0..1.</param>
/// <param name="Label">One of <see cref="CocoLabels.All"/>.</param>
internal sealed record FoundObject(Region Box, float Score, string Label);

/// <summary>
/// Persons and things by CenterNet (Zhou et al. 2019, "Objects as Points") on MobileNetV3, trained on COCO's 80 classes. The
/// picture is stretched to 512 x 512 and stays 0..255; peaks are picked in the graph, which gives 100 rows (left, top,
/// right, bottom, score, class) in those 512 pixels.
/// </summary>
internal sealed class ObjectDetector(string onnxPath, float leastScore = ObjectDetector.LeastScore) : IDisposable
{
    public const string Output = "tower_0/detections";
    public const float LeastScore = 0.4f;

    private const int Side = 512;
    private const int RowLength = 6;
    private const float GreatestOverlap = 0.5f;
    private readonly VisionNet net = new(onnxPath, Side, Side, 3, Output);

    /// <summary>All that is surer than <see cref="LeastScore"/>, the surest first; of two of one class that overlap by half,
    /// the better one.</summary>
    public IReadOnlyList<FoundObject> Detect(Raster<byte> image)
    {
        var rows = net.Run(Resampling.Bilinear(image, Side, Side).Values)[0];
        var (scaleX, scaleY) = (image.Width / (float)Side, image.Height / (float)Side);
        var found = new List<FoundObject>();
        for (var at = 0; at + RowLength <= rows.Length; at += RowLength)
        {
            if (rows[at + 4] <= leastScore) continue;
            var box = new Region(rows[at] * scaleX, rows[at + 1] * scaleY, rows[at + 2] * scaleX, rows[at + 3] * scaleY);
            var inside = box.Intersection(new Region(0, 0, image.Width, image.Height));
            if (inside.Area > 0) found.Add(new FoundObject(inside, rows[at + 4], CocoLabels.All[(int)rows[at + 5]]));
        }
        return [.. found.GroupBy(one => one.Label)
            .SelectMany(same => Suppression.Best(same, one => one.Score, one => one.Box, GreatestOverlap))
            .OrderByDescending(one => one.Score)];
    }

    /// <inheritdoc/>
    public void Dispose() => net.Dispose();
}

/// <summary>COCO's classes in the order of the detector's numbers.</summary>
internal static class CocoLabels
{
    public const string Person = "person";

    public static readonly IReadOnlyList<string> All =
    [
        Person, "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant",
        "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra",
        "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
        "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork",
        "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut",
        "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote",
        "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
        "teddy bear", "hair drier", "toothbrush",
    ];
}
