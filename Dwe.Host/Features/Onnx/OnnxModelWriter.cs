using Google.Protobuf;

namespace Dwe.Host.Features.Onnx;

/// <summary>
/// Writes an <see cref="OnnxGraph"/> as an ONNX file. ONNX is a protobuf message; its field numbers below are those of
/// <c>onnx.proto</c> (ONNX 1.13: IR version 8, operator set 18). Written field by field, so no generated code is
/// needed. The bytes depend on the graph alone: constants are ordered by name.
/// </summary>
internal static class OnnxModelWriter
{
    /// <summary>Operator set of the written model: the first in which every reduction takes its axes as an
    /// input.</summary>
    public const int OperatorSet = 18;

    /// <summary>The domain of ONNX Runtime's own operators, such as <c>FusedMatMul</c>.</summary>
    public const string RuntimeDomain = "com.microsoft";

    private const int IrVersion = 8;
    private const string Producer = "dwe";

    /// <summary>The whole model as bytes, ready for <c>new InferenceSession(bytes)</c> or for a file.</summary>
    public static byte[] ToBytes(OnnxGraph graph) => Message(model =>
    {
        Integer(model, 1, IrVersion);
        Text(model, 2, Producer);
        Nested(model, 7, body => Graph(body, graph));
        Nested(model, 8, set => OperatorSetOf(set, "", OperatorSet));
        if (graph.Nodes.Exists(node => node.Domain == RuntimeDomain))
            Nested(model, 8, set => OperatorSetOf(set, RuntimeDomain, 1));
    });

    private static void OperatorSetOf(CodedOutputStream set, string domain, int version)
    {
        Text(set, 1, domain);
        Integer(set, 2, version);
    }

    private static void Graph(CodedOutputStream output, OnnxGraph graph)
    {
        foreach (var node in graph.Nodes) Nested(output, 1, body => Node(body, node));
        Text(output, 2, graph.Name);
        foreach (var (name, tensor) in graph.Constants.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Nested(output, 5, body => Tensor(body, name, tensor));
        foreach (var value in graph.Inputs) Nested(output, 11, body => Value(body, value));
        foreach (var value in graph.Outputs) Nested(output, 12, body => Value(body, value));
    }

    private static void Node(CodedOutputStream output, OnnxNode node)
    {
        foreach (var input in node.Inputs) Text(output, 1, input);
        foreach (var result in node.Outputs) Text(output, 2, result);
        Text(output, 3, node.Outputs[0]);
        Text(output, 4, node.Operator);
        foreach (var attribute in node.Attributes) Nested(output, 5, body => Attribute(body, attribute));
        if (node.Domain.Length > 0) Text(output, 7, node.Domain);
    }

    private static void Attribute(CodedOutputStream output, OnnxAttribute attribute)
    {
        Text(output, 1, attribute.Name);
        switch (attribute)
        {
            case OnnxAttribute.Real real:
                output.WriteTag(2, WireFormat.WireType.Fixed32);
                output.WriteFloat(real.Value);
                Integer(output, 20, 1);
                break;
            case OnnxAttribute.Integer integer:
                Integer(output, 3, integer.Value);
                Integer(output, 20, 2);
                break;
            case OnnxAttribute.Text text:
                Text(output, 4, text.Value);
                Integer(output, 20, 3);
                break;
            case OnnxAttribute.Integers integers:
                foreach (var value in integers.Values) Integer(output, 8, value);
                Integer(output, 20, 7);
                break;
            default:
                throw new ArgumentException($"{attribute.Name}: no way to write a {attribute.GetType().Name}");
        }
    }

    private static void Tensor(CodedOutputStream output, string name, OnnxTensor tensor)
    {
        foreach (var length in tensor.Shape) Integer(output, 1, length);
        Integer(output, 2, (int)tensor.Type);
        Text(output, 8, name);
        Bytes(output, 9, tensor.Data.Span);
    }

    private static void Value(CodedOutputStream output, OnnxValue value)
    {
        Text(output, 1, value.Name);
        Nested(output, 2, type => Nested(type, 1, tensor =>
        {
            Integer(tensor, 1, (int)value.Type);
            if (value.Shape is { } shape) Nested(tensor, 2, body => Shape(body, shape));
        }));
    }

    private static void Shape(CodedOutputStream output, OnnxDimension[] shape)
    {
        foreach (var dimension in shape)
        {
            Nested(output, 1, body =>
            {
                if (dimension.Length is { } length) Integer(body, 1, length);
                else Text(body, 2, dimension.Name);
            });
        }
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true)) write(output);
        return memory.ToArray();
    }

    /// <summary>A protobuf message inside another is its length, then its bytes; so the inner one is written
    /// first.</summary>
    private static void Nested(CodedOutputStream output, int field, Action<CodedOutputStream> write) =>
        Bytes(output, field, Message(write));

    private static void Bytes(CodedOutputStream output, int field, ReadOnlySpan<byte> bytes)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(bytes));
    }

    private static void Text(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static void Integer(CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }
}
