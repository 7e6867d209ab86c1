using System.Globalization;
using System.Text;
using System.Text.Json;
using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// One node of a TFJS graph model: an operation of TensorFlow, its inputs (<c>node</c> or <c>node:output</c>) and its
/// attributes. Attributes are the JSON form of <c>AttrValue</c>, which two generations of exporters wrote differently:
/// text as base64 or as a list of character codes, types as <c>DT_FLOAT</c> or as its number, integers as text or
/// number.
/// </summary>
internal sealed record TfjsNode(string Name, string Operator, string[] Inputs, JsonElement Attributes)
{
    /// <summary>The attribute <paramref name="name"/> as an integer, or <paramref name="absent"/> if there is
    /// none.</summary>
    public long Integer(string name, long absent = 0) =>
        Field(name, "i") is { } value ? ToInteger(value) : absent;

    public bool Flag(string name) => Field(name, "b") is { ValueKind: JsonValueKind.True };

    /// <summary>A text attribute such as <c>padding</c>; empty if there is none.</summary>
    public string Text(string name) => Field(name, "s") is { } value ? ToText(value) : "";

    public long[] Integers(string name) => Items(name, "i").Select(ToInteger).ToArray();

    public string[] Texts(string name) => Items(name, "s").Select(ToText).ToArray();

    /// <summary>The declared lengths of a placeholder's axes; null where they are open; no shape at all gives
    /// null.</summary>
    public long?[]? Shape(string name)
    {
        if (Field(name, "shape") is not { } shape || !shape.TryGetProperty("dim", out var axes)) return null;
        return axes.EnumerateArray().Select(axis => axis.TryGetProperty("size", out var size) ? ToInteger(size) : -1)
            .Select(length => length < 0 ? (long?)null : length).ToArray();
    }

    /// <summary>The type attribute <paramref name="name"/>; every integer of TensorFlow becomes int64.</summary>
    public ElementType Type(string name)
    {
        if (Field(name, "type") is not { } value) return ElementType.Float32;
        var type = value.ValueKind == JsonValueKind.Number
            ? value.GetInt32().ToString(CultureInfo.InvariantCulture)
            : value.GetString();
        return type switch
        {
            "1" or "DT_FLOAT" => ElementType.Float32,
            "3" or "DT_INT32" or "9" or "DT_INT64" => ElementType.Int64,
            "10" or "DT_BOOL" => ElementType.Boolean,
            _ => throw Refuse($"type {type} of attribute {name}", "float32, int32, int64 or bool"),
        };
    }

    /// <summary>The error for something this node asks for and the converter does not do.</summary>
    public UnsupportedGraphException Refuse(string found, string expected) => new(this, found, expected);

    private JsonElement? Field(string name, string kind) =>
        Attributes.ValueKind == JsonValueKind.Object
        && Attributes.TryGetProperty(name, out var attribute)
        && attribute.TryGetProperty(kind, out var value) ? value : null;

    private IEnumerable<JsonElement> Items(string name, string kind) =>
        Field(name, "list") is { } list && list.TryGetProperty(kind, out var items) ? items.EnumerateArray() : [];

    private static long ToInteger(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? long.Parse(value.GetString()!, CultureInfo.InvariantCulture)
        : value.GetInt64();

    private static string ToText(JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? Encoding.ASCII.GetString(value.EnumerateArray().Select(code => code.GetByte()).ToArray())
        : Encoding.ASCII.GetString(value.GetBytesFromBase64());
}

/// <summary>A graph asks for something the converter does not know. Names the operation and its node.</summary>
internal sealed class UnsupportedGraphException(TfjsNode node, string found, string expected)
    : NotSupportedException($"{node.Operator} at node '{node.Name}': found {found}, expected {expected}.")
{
    public TfjsNode Node { get; } = node;
}
