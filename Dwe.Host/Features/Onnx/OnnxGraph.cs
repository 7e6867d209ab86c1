using System.Runtime.InteropServices;

namespace Dwe.Host.Features.Onnx;

/// <summary>The element types a written graph uses; the numbers are those of <c>TensorProto.DataType</c>.</summary>
internal enum ElementType
{
    Float32 = 1,
    Int64 = 7,
    Boolean = 9,
}

/// <summary>A constant of the graph: little-endian, row-major bytes.</summary>
internal sealed record OnnxTensor(ElementType Type, long[] Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>float32 values, row-major; <paramref name="shape"/> multiplies to their number.</summary>
    public static OnnxTensor Of(float[] values, params long[] shape) =>
        new(ElementType.Float32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>int64 values, row-major; <paramref name="shape"/> multiplies to their number.</summary>
    public static OnnxTensor Of(long[] values, params long[] shape) =>
        new(ElementType.Int64, shape, MemoryMarshal.AsBytes<long>(values).ToArray());

    /// <summary>A vector, as the <c>axes</c>, <c>starts</c> and shape inputs of ONNX want it.</summary>
    public static OnnxTensor Vector(params long[] values) => Of(values, values.Length);

    public static OnnxTensor Scalar(float value) => Of([value]);

    public static OnnxTensor Scalar(long value) => Of([value]);
}

/// <summary>One axis of a declared shape: a number, or a name where the length is known only when the graph
/// runs.</summary>
internal readonly record struct OnnxDimension(long? Length, string Name);

/// <summary>A declared input or output. No <see cref="Shape"/> means that even the rank is left open.</summary>
internal sealed record OnnxValue(string Name, ElementType Type, OnnxDimension[]? Shape = null);

/// <summary>An attribute of a node: exactly one of the four kinds this writer needs.</summary>
internal abstract record OnnxAttribute(string Name)
{
    internal sealed record Integer(string Name, long Value) : OnnxAttribute(Name);

    internal sealed record Integers(string Name, long[] Values) : OnnxAttribute(Name);

    internal sealed record Real(string Name, float Value) : OnnxAttribute(Name);

    internal sealed record Text(string Name, string Value) : OnnxAttribute(Name);

    public static OnnxAttribute Of(string name, long value) => new Integer(name, value);

    public static OnnxAttribute Of(string name, long[] values) => new Integers(name, values);

    public static OnnxAttribute Of(string name, float value) => new Real(name, value);

    public static OnnxAttribute Of(string name, string value) => new Text(name, value);
}

/// <summary>One operation. The empty <see cref="Domain"/> is ONNX's own.</summary>
internal sealed record OnnxNode(
    string Operator, string[] Inputs, string[] Outputs, OnnxAttribute[] Attributes, string Domain = "");

/// <summary>A graph under construction; nodes stand in the order in which they run.</summary>
internal sealed class OnnxGraph(string name)
{
    public string Name { get; } = name;

    public List<OnnxValue> Inputs { get; } = [];

    public List<OnnxValue> Outputs { get; } = [];

    public List<OnnxNode> Nodes { get; } = [];

    public Dictionary<string, OnnxTensor> Constants { get; } = [];
}
