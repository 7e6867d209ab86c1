using System.Runtime.InteropServices;
using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// The conversion of one node: what an operator's converter sees and writes to. Values are names in the ONNX graph.
/// A constant enters the graph only when an emitted node reads it, so axes and shapes that a converter used up leave
/// no trace.
/// </summary>
internal sealed class OpConversion(
    TfjsNode node, TfjsNode[] producers, string[] inputs, OnnxGraph graph, Dictionary<string, OnnxTensor> constants)
{
    private int emitted;

    public TfjsNode Node { get; } = node;

    public int InputCount => inputs.Length;

    /// <summary>The value of input <paramref name="index"/>.</summary>
    public string Input(int index) => index < inputs.Length
        ? inputs[index]
        : throw Node.Refuse($"{inputs.Length} inputs", $"at least {index + 1}");

    public string[] Inputs => inputs;

    /// <summary>The TensorFlow node whose result input <paramref name="index"/> is.</summary>
    public TfjsNode Producer(int index) => producers[index];

    /// <summary>Whether input <paramref name="index"/> is known at conversion, and its value.</summary>
    public bool TryConstant(int index, out OnnxTensor tensor) => constants.TryGetValue(Input(index), out tensor!);

    /// <summary>The integers of a constant input (axes, sizes, paddings), flattened.</summary>
    /// <exception cref="UnsupportedGraphException">The input is computed by the graph.</exception>
    public long[] Integers(int index) => TryConstant(index, out var tensor) && tensor.Type == ElementType.Int64
        ? MemoryMarshal.Cast<byte, long>(tensor.Data.Span).ToArray()
        : throw Node.Refuse($"input {index} computed by the graph", "constant integers");

    /// <summary>A constant float input.</summary>
    /// <exception cref="UnsupportedGraphException">The input is computed by the graph, or is not of floats.</exception>
    public (float[] Values, long[] Shape) Weights(int index) =>
        TryConstant(index, out var tensor) && tensor.Type == ElementType.Float32
            ? (MemoryMarshal.Cast<byte, float>(tensor.Data.Span).ToArray(), tensor.Shape)
            : throw Node.Refuse($"input {index} computed by the graph", "constant float weights");

    /// <summary>A new constant; it is written only if something reads it.</summary>
    public string Constant(OnnxTensor tensor)
    {
        var name = Fresh();
        constants[name] = tensor;
        return name;
    }

    public string Vector(params long[] values) => Constant(OnnxTensor.Vector(values));

    /// <summary>Appends an ONNX operation with one result and returns that result's name.</summary>
    public string Emit(string onnxOperator, string[] inputs, params OnnxAttribute[] attributes) =>
        Append(onnxOperator, "", inputs, 1, attributes)[0];

    /// <summary>As <see cref="Emit"/>, for an operator that only ONNX Runtime has.</summary>
    public string EmitRuntime(string runtimeOperator, string[] inputs, params OnnxAttribute[] attributes) =>
        Append(runtimeOperator, OnnxModelWriter.RuntimeDomain, inputs, 1, attributes)[0];

    public string[] EmitMany(string onnxOperator, string[] inputs, int results, params OnnxAttribute[] attributes) =>
        Append(onnxOperator, "", inputs, results, attributes);

    private string[] Append(string name, string domain, string[] read, int results, OnnxAttribute[] attributes)
    {
        foreach (var value in read)
            if (constants.TryGetValue(value, out var tensor)) graph.Constants.TryAdd(value, tensor);
        var outputs = Enumerable.Range(0, results).Select(_ => Fresh()).ToArray();
        graph.Nodes.Add(new OnnxNode(name, read, outputs, attributes, domain));
        return outputs;
    }

    /// <summary>A name no other node's value has: TensorFlow's names have no `#`.</summary>
    private string Fresh() => $"{Node.Name}#{emitted++}";
}
