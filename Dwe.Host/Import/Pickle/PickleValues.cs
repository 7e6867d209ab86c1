namespace Dwe.Host.Import.Pickle;

/// <summary>
/// A class that the reader knows by name. It is a name and nothing more: making an object of it collects attributes, calling
/// it rebuilds a tensor or hands its argument through, and none of that is code of the file.
/// </summary>
internal sealed record PickleClass(string Name, PickleRole Role);

/// <summary>What a known class or function stands for.</summary>
internal enum PickleRole
{
    /// <summary>An object that becomes a bag of attributes.</summary>
    Attributes,

    /// <summary><c>collections.OrderedDict</c>.</summary>
    OrderedDict,

    /// <summary><c>torch._utils._rebuild_tensor_v2</c>.</summary>
    RebuildTensor,

    /// <summary><c>torch._utils._rebuild_parameter</c>: its first argument is the tensor.</summary>
    RebuildParameter,

    /// <summary>A storage class, which names an element type.</summary>
    Storage,

    /// <summary>A function whose first argument is its result, e.g. <c>torch.jit._pickle.build_intlist</c>.</summary>
    FirstArgument,

    /// <summary>A call that is kept as a name with arguments, e.g. <c>torch.device</c>.</summary>
    Call,
}

/// <summary>A list.</summary>
internal sealed class PickleList
{
    public List<object?> Items { get; } = [];
}

/// <summary>A tuple.</summary>
internal sealed class PickleTuple(object?[] items)
{
    public static PickleTuple Empty { get; } = new([]);

    public object?[] Items { get; } = items;
}

/// <summary>A dict or OrderedDict. Entries stay in the order in which they were set; a text key set again is replaced.</summary>
internal sealed class PickleDict
{
    private readonly List<KeyValuePair<object?, object?>> entries = [];
    private Dictionary<string, int>? placeOf;

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => entries;

    public void Set(object? key, object? value)
    {
        if (key is string text)
        {
            placeOf ??= new Dictionary<string, int>(StringComparer.Ordinal);
            if (placeOf.TryGetValue(text, out var place))
            {
                entries[place] = new(key, value);
                return;
            }
            placeOf[text] = entries.Count;
        }
        entries.Add(new(key, value));
    }

    public bool TryGet(string key, out object? value)
    {
        value = null;
        if (placeOf is null || !placeOf.TryGetValue(key, out var place)) return false;
        value = entries[place].Value;
        return true;
    }
}

/// <summary>An object of a known class: its name, what it was called with, and its attributes.</summary>
internal sealed class PickleObject(string className, PickleTuple arguments)
{
    public string ClassName { get; } = className;

    public PickleTuple Arguments { get; } = arguments;

    public PickleDict Attributes { get; } = new();
}
