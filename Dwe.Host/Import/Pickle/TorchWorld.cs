using Dwe.Host.Storage;

namespace Dwe.Host.Import.Pickle;

/// <summary>The classes of whose objects a file may be made, beside tensors and plain values.</summary>
/// <param name="Objects">Full names, e.g. <c>prepare_wikipedia.InputFeatures</c>.</param>
/// <param name="Prefix">Beginning of names that are objects too, or null.</param>
internal sealed record TorchObjects(IReadOnlySet<string> Objects, string? Prefix)
{
    /// <summary>No objects: a state_dict, a list of tensors.</summary>
    public static TorchObjects None { get; } = new(new HashSet<string>(), null);

    /// <summary>The records of DWE's caches, one class per data set.</summary>
    public static TorchObjects DweCache { get; } = new(
        new HashSet<string>
        {
            "prepare_wikipedia.InputFeatures",
            "prepare_richpedia.InputFeatures",
            "prepare_wikidiverse.InputFeatures",
            "prepare_wikiperson.InputFeatures",
        },
        null);

    /// <summary>The modules of a TorchScript archive: names that its own code directory declares, none of Python's.</summary>
    public static TorchObjects Script { get; } = new(new HashSet<string>(), "__torch__.");
}

/// <summary>The names that PyTorch's files use, and what they make: tensors, storages, plain containers.</summary>
/// <param name="objects">Classes that become bags of attributes.</param>
/// <param name="file">Where storages are.</param>
internal sealed class TorchWorld(TorchObjects objects, ITorchBytes file) : IPickleWorld
{
    private const int MaximumKey = 64;

    private static readonly Dictionary<string, Dtype> Storages = new()
    {
        ["torch.FloatStorage"] = Dtype.F32,
        ["torch.HalfStorage"] = Dtype.F16,
        ["torch.BFloat16Storage"] = Dtype.BF16,
        ["torch.DoubleStorage"] = Dtype.F64,
        ["torch.LongStorage"] = Dtype.I64,
        ["torch.IntStorage"] = Dtype.I32,
        ["torch.ShortStorage"] = Dtype.I16,
        ["torch.CharStorage"] = Dtype.I8,
        ["torch.ByteStorage"] = Dtype.U8,
        ["torch.BoolStorage"] = Dtype.BOOL,
    };

    private static readonly Dictionary<string, PickleRole> Roles = new()
    {
        ["collections.OrderedDict"] = PickleRole.OrderedDict,
        ["torch._utils._rebuild_tensor_v2"] = PickleRole.RebuildTensor,
        ["torch._utils._rebuild_parameter"] = PickleRole.RebuildParameter,
        ["torch.Size"] = PickleRole.FirstArgument,
        ["torch.device"] = PickleRole.Call,
        ["torch.jit._pickle.build_intlist"] = PickleRole.FirstArgument,
        ["torch.jit._pickle.build_doublelist"] = PickleRole.FirstArgument,
        ["torch.jit._pickle.build_boollist"] = PickleRole.FirstArgument,
        ["torch.jit._pickle.build_tensorlist"] = PickleRole.FirstArgument,
        ["torch.jit._pickle.restore_type_tag"] = PickleRole.FirstArgument,
    };

    private readonly Dictionary<string, PickleClass> found = [];

    /// <inheritdoc/>
    public PickleClass? Find(string name)
    {
        if (found.TryGetValue(name, out var known)) return known;
        PickleRole? role =
            Roles.TryGetValue(name, out var own) ? own
            : Storages.ContainsKey(name) ? PickleRole.Storage
            : objects.Objects.Contains(name) || (objects.Prefix is { } prefix && name.StartsWith(prefix, StringComparison.Ordinal))
                ? PickleRole.Attributes
                : null;
        return role is { } is_ ? found[name] = new PickleClass(name, is_) : null;
    }

    /// <inheritdoc/>
    public object? Call(PickleClass callee, PickleTuple arguments, PickleReader reader)
    {
        var items = arguments.Items;
        switch (callee.Role)
        {
            case PickleRole.Attributes:
            case PickleRole.Call:
                return new PickleObject(callee.Name, arguments);
            case PickleRole.FirstArgument when items.Length > 0:
                return items[0];
            case PickleRole.RebuildParameter when items is [TorchTensor tensor, ..]:
                return tensor;
            case PickleRole.OrderedDict when items.Length == 0:
                return new PickleDict();
            case PickleRole.OrderedDict when items is [PickleList pairs]:
                var dict = new PickleDict();
                foreach (var pair in pairs.Items)
                {
                    var (key, value) = pair switch
                    {
                        PickleTuple { Items: [var left, var right] } => (left, right),
                        PickleList { Items: [var left, var right] } => (left, right),
                        _ => throw reader.Broken("an entry that is no pair", "pairs"),
                    };
                    dict.Set(key, value);
                }
                return dict;
            case PickleRole.RebuildTensor
                when items is [TorchStorage storage, long offset, PickleTuple shape, PickleTuple strides, ..]
                    && shape.Items.All(extent => extent is long) && strides.Items.All(stride => stride is long):
                return TorchTensor.TryMake(
                        storage, offset, [.. shape.Items.Cast<long>()], [.. strides.Items.Cast<long>()], out var problem)
                    ?? throw reader.Broken($"a tensor of {problem}", "a view within its storage");
            default:
                throw reader.Broken($"a call of '{callee.Name}' with other arguments than it takes", "a tensor or a plain value");
        }
    }

    /// <summary>
    /// A storage: <c>("storage", class, key, location, elements)</c>, in old files with a sixth item, None or the view's key,
    /// first element and count. The location (<c>cpu</c>, <c>cuda:0</c>) says where it was, which does not matter here.
    /// </summary>
    public object? Persistent(object? id, PickleReader reader)
    {
        if (id is not PickleTuple { Items: ["storage", PickleClass { Role: PickleRole.Storage } type, string key, string, long count, ..] } tuple
            || count < 0 || key.Length > MaximumKey || tuple.Items.Length > 6)
            throw reader.Broken("a reference that is no storage", "a storage's type, key, place and size");
        var dtype = Storages[type.Name];
        if (count > long.MaxValue / dtype.Size()) throw reader.Broken($"a storage of {count} elements", "a size that a file can have");
        if (!file.Declare(key, dtype, count)) throw reader.Broken($"the storage '{key}' with two types or sizes", "one of each");
        return tuple.Items.Length == 5 || tuple.Items[5] is null
            ? new TorchStorage(file, key, dtype, 0, count, count)
            : tuple.Items[5] is PickleTuple { Items: [_, long start, long length] }
                && start >= 0 && length >= 0 && start <= count && length <= count - start
                ? new TorchStorage(file, key, dtype, start, length, count)
                : throw reader.Broken("a view that leaves its storage", $"a range of its {count} elements");
    }
}
