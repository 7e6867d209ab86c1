using Dwe.Host.Features.Onnx;
using Dwe.Host.Features.Tfjs;

namespace Dwe.Host.Features.Text;

/// <summary>
/// Universal Sentence Encoder lite with a vector for every token instead of one for the text. The encoder's text vector is
///
///     |tanh(W mean_i h_i + b)|,   h_i = what its transformer makes of token i, |x| = x / √(x · x)
///
/// and a token's is |tanh(W h_i + b)|: the same last layer, before the mean instead of after it. So tokens lie in the space of
/// texts, and the only token of a text has the text's own vector.
/// </summary>
internal static class UseTokenGraph
{
    /// <summary>Raise it when any token gets another vector.</summary>
    public const string Version = "1";

    /// <summary>[rows; tokens; 512] float32.</summary>
    public const string Output = "tokens";

    private const string Hidden = "module_apply_default/Encoder_en/KonaTransformer/mul";
    private const string Weights = "module/Encoder_en/hidden_layers/tanh_layer_0/weights";
    private const string Bias = "module/Encoder_en/hidden_layers/tanh_layer_0/bias";

    public static OnnxGraph Of(TfjsModel model)
    {
        var graph = TfjsToOnnx.Convert(model, Hidden);
        graph.Constants[Weights] = model.Weights[Weights];
        graph.Constants[Bias] = model.Weights[Bias];
        void Add(string op, string[] inputs, string output, params OnnxAttribute[] attributes) =>
            graph.Nodes.Add(new OnnxNode(op, inputs, [output], attributes));
        Add("MatMul", [Hidden, Weights], Output + "/product");
        Add("Add", [Output + "/product", Bias], Output + "/sum");
        Add("Tanh", [Output + "/sum"], Output + "/tanh");
        Add("LpNormalization", [Output + "/tanh"], Output, OnnxAttribute.Of("axis", -1), OnnxAttribute.Of("p", 2));
        graph.Outputs.Clear();
        graph.Outputs.Add(new OnnxValue(Output, ElementType.Float32));
        return graph;
    }
}
