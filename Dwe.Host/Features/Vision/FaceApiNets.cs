using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Vision;

/// <summary>
/// The nets of face-api.js as ONNX graphs. The package has weights and no graph, so the layers are written here, after its
/// source (<c>ageGenderNet</c>, <c>faceLandmarkNet</c>, <c>faceRecognitionNet</c>, <c>xception</c>). All take
/// [1; size; size; 3] RGB 0..255 under the name <see cref="Input"/>.
/// </summary>
internal static class FaceApiNets
{
    /// <summary>Part of the name of a kept graph: raise it when the same weights give another one.</summary>
    public const string Version = "1";

    public const string Input = "face";
    public const string Age = "age";
    public const string Gender = "gender";
    public const string Landmarks = "landmarks";
    public const string Descriptor = "descriptor";

    /// <summary>Side of the age-gender and landmark nets' input.</summary>
    public const int SmallSide = 112;

    /// <summary>Side of the recognition net's input.</summary>
    public const int DescriptorSide = 150;

    private static readonly float[] Mean = [122.782f, 117.001f, 104.298f];

    /// <summary>A small Xception: <see cref="Age"/> [1; 1] in years, <see cref="Gender"/> [1; 2]: male, female.</summary>
    public static OnnxGraph AgeGender(IReadOnlyDictionary<string, OnnxTensor> weights)
    {
        var net = new ConvNet(weights);
        var x = net.Relu(net.Conv(net.Start(SmallSide, Mean), "entry_flow/conv_in", 2));
        x = Reduce(net, x, "entry_flow/reduction_block_0", rectify: false);
        x = Reduce(net, x, "entry_flow/reduction_block_1", rectify: true);
        for (var block = 0; block < 2; block++)
        {
            var inner = x;
            for (var layer = 0; layer < 3; layer++)
                inner = net.Separable(net.Relu(inner), $"middle_flow/main_block_{block}/separable_conv{layer}", 1);
            x = net.Add(inner, x);
        }
        x = Reduce(net, x, "exit_flow/reduction_block", rectify: true);
        x = net.Relu(net.Separable(x, "exit_flow/separable_conv", 1));
        var pooled = net.Mean(x);
        net.Output(Age, net.Dense(pooled, "fc/age"));
        net.Output(Gender, net.Softmax(net.Dense(pooled, "fc/gender")));
        return net.Graph;
    }

    /// <summary>Four dense blocks: <see cref="Landmarks"/> [1; 136], 68 pairs (x, y) as shares of the input's side.</summary>
    public static OnnxGraph Landmarks68(IReadOnlyDictionary<string, OnnxTensor> weights)
    {
        var net = new ConvNet(weights);
        var x = net.Start(SmallSide, Mean);
        for (var block = 0; block < 4; block++) x = Dense(net, x, $"dense{block}", first: block == 0);
        net.Output(Landmarks, net.Dense(net.Mean(x), "fc"));
        return net.Graph;
    }

    /// <summary>dlib's residual net: <see cref="Descriptor"/> [1; 128], near for two faces of one person.</summary>
    public static OnnxGraph Recognition(IReadOnlyDictionary<string, OnnxTensor> weights)
    {
        var net = new ConvNet(weights);
        var (x, side) = (net.Start(DescriptorSide, Mean), DescriptorSide);
        x = net.Relu(Scaled(net, x, "conv32_down", 2, same: false));
        x = net.MaxPool(x, 3, 2, same: false);
        side = Halved(Halved(side, 7), 3);
        foreach (var width in new[] { 32, 64, 128, 256 })
        {
            if (width > 32) (x, side) = Down(net, x, side, $"conv{width}_down", width / 2);
            for (var block = 1; block <= (width is 32 or 64 ? 3 : 2); block++)
            {
                var inner = net.Relu(Scaled(net, x, $"conv{width}_{block}/conv1", 1, same: true));
                x = net.Relu(net.Add(Scaled(net, inner, $"conv{width}_{block}/conv2", 1, same: true), x));
            }
        }
        (x, _) = Down(net, x, side, "conv256_down_out", 0);
        net.Output(Descriptor, net.Product(net.Mean(x), "fc"));
        return net.Graph;
    }

    /// <summary>Two separable layers at half size, beside a 1 x 1 layer with stride 2.</summary>
    private static string Reduce(ConvNet net, string x, string name, bool rectify)
    {
        var inner = net.Separable(rectify ? net.Relu(x) : x, name + "/separable_conv0", 1);
        inner = net.Separable(net.Relu(inner), name + "/separable_conv1", 1);
        return net.Add(net.MaxPool(inner, 3, 2, same: true), net.Conv(x, name + "/expansion_conv", 2));
    }

    /// <summary>Each layer reads the sum of all before it.</summary>
    private static string Dense(ConvNet net, string x, string name, bool first)
    {
        var sum = net.Relu(first ? net.Conv(x, name + "/conv0", 2) : net.Separable(x, name + "/conv0", 2));
        var rectified = sum;
        for (var layer = 1; layer < 4; layer++)
        {
            sum = net.Add(sum, net.Separable(rectified, $"{name}/conv{layer}", 1));
            rectified = net.Relu(sum);
        }
        return rectified;
    }

    /// <summary>Half the size, and <paramref name="added"/> more channels, which the shortcut has as zeros.</summary>
    private static (string Value, int Side) Down(ConvNet net, string x, int side, string name, int added)
    {
        var inner = Scaled(net, net.Relu(Scaled(net, x, name + "/conv1", 2, same: false)), name + "/conv2", 1, same: true);
        var pooled = net.AveragePool(x, 2);
        if (added > 0) pooled = net.Pad(pooled, channels: added, side: 0);
        // Without padding the 3 x 3 layer can come out one shorter than the 2 x 2 shortcut.
        var missing = (side / 2) - Halved(side, 3);
        if (missing > 0) inner = net.Pad(inner, channels: 0, side: missing);
        return (net.Relu(net.Add(pooled, inner)), side / 2);
    }

    private static string Scaled(ConvNet net, string x, string name, int stride, bool same) =>
        net.Scale(net.Conv(x, name + "/conv", stride, same), name + "/scale");

    private static int Halved(int side, int kernel) => ((side - kernel) / 2) + 1;
}
