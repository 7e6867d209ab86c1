using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// Converts a TFJS graph model to ONNX, so that ONNX Runtime can run it. Layout stays TensorFlow's (NHWC): spatial
/// operators stand between two transposes, most of which the runtime cancels. All integers become int64.
/// Written from TensorFlow's and ONNX' operator definitions.
/// </summary>
internal static class TfjsToOnnx
{
    /// <summary>Part of the name of every cached conversion: raise it when the same source converts to another
    /// graph.</summary>
    public const string Version = "1";

    /// <summary>The graph that computes <paramref name="outputs"/>, and nothing else of the model.</summary>
    /// <param name="model">The model that was read.</param>
    /// <param name="outputs">Published output names or node names; the model's own outputs if none are given.
    /// The converted model's outputs carry these names, its inputs the placeholders'.</param>
    /// <exception cref="UnsupportedGraphException">An operator, or a use of one, that has no conversion.</exception>
    public static OnnxGraph Convert(TfjsModel model, params string[] outputs)
    {
        var conversion = new GraphConversion(model);
        IEnumerable<string> wanted = outputs.Length > 0 ? outputs : model.Outputs.Keys.Order(StringComparer.Ordinal);
        foreach (var output in wanted)
            conversion.AddOutput(output, model.Outputs.GetValueOrDefault(output, output));
        return conversion.Graph;
    }

    private sealed class GraphConversion(TfjsModel model)
    {
        private readonly Dictionary<string, OnnxTensor> constants = [];
        private readonly Dictionary<string, string[]> converted = [];

        public OnnxGraph Graph { get; } = new("tfjs");

        public void AddOutput(string published, string reference)
        {
            var (node, index) = Find(reference);
            var value = Value(reference);
            if (constants.TryGetValue(value, out var constant)) Graph.Constants.TryAdd(value, constant);
            Graph.Nodes.Add(new OnnxNode("Identity", [value], [published], []));
            Graph.Outputs.Add(new OnnxValue(published, ResultType(node, index)));
        }

        private (TfjsNode Node, int Index) Find(string reference)
        {
            // `name:2` is the third result; a bare name, or `name:0`, the first.
            var colon = reference.LastIndexOf(':');
            var (name, index) = colon > 0 && int.TryParse(reference.AsSpan(colon + 1), out var number)
                ? (reference[..colon], number)
                : (reference, 0);
            return model.Nodes.TryGetValue(name, out var node)
                ? (node, index)
                : throw new ArgumentException($"the model has no node '{name}'", nameof(reference));
        }

        private string Value(string reference)
        {
            var (node, index) = Find(reference);
            if (!converted.TryGetValue(node.Name, out var results))
                converted[node.Name] = results = ConvertNode(node);
            return index < results.Length
                ? results[index]
                : throw node.Refuse($"result {index} read", $"{results.Length} results");
        }

        private string[] ConvertNode(TfjsNode node)
        {
            switch (node.Operator)
            {
                case "Placeholder":
                    var shape = node.Shape("shape")?
                        .Select((length, axis) => new OnnxDimension(length, $"{node.Name}_{axis}"));
                    Graph.Inputs.Add(new OnnxValue(node.Name, node.Type("dtype"), shape?.ToArray()));
                    return [node.Name];
                case "Const":
                    constants[node.Name] = model.Weights.TryGetValue(node.Name, out var weight)
                        ? weight
                        : throw node.Refuse("a constant without weights", "an entry in the weights manifest");
                    return [node.Name];
                default:
                    var convert = OpConverters.Find(node.Operator)
                        ?? throw node.Refuse("an operator without a conversion", $"one of {OpConverters.KnownNames}");
                    var producers = node.Inputs.Select(input => Find(input).Node).ToArray();
                    var values = node.Inputs.Select(Value).ToArray();
                    return convert(new OpConversion(node, producers, values, Graph, constants));
            }
        }

        /// <summary>What a graph output must declare. Only operators that change the type need to be named
        /// here.</summary>
        private static ElementType ResultType(TfjsNode node, int index) => node.Operator switch
        {
            "Cast" => node.Type("DstT"),
            "Equal" or "Greater" or "Less" or "LogicalNot" => ElementType.Boolean,
            "Shape" or "Where" => ElementType.Int64,
            "TopKV2" when index == 1 => ElementType.Int64,
            "GatherV2" or "GatherNd" => node.Type("Tparams"),
            "Placeholder" or "Const" => node.Type("dtype"),
            _ => node.Type("T"),
        };
    }
}
