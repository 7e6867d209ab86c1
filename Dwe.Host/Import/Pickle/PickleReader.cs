using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Import.Pickle;

/// <summary>What a pickle may name, and how what it names is made.</summary>
internal interface IPickleWorld
{
    /// <summary>The class or function of this dotted name, or null where it is not known: it is then refused.</summary>
    PickleClass? Find(string name);

    /// <summary>The result of calling a known class or function.</summary>
    object? Call(PickleClass callee, PickleTuple arguments, PickleReader reader);

    /// <summary>What a persistent id stands for (a storage).</summary>
    object? Persistent(object? id, PickleReader reader);
}

/// <summary>
/// Reads one pickle (protocols 2 to 5, as far as tensors and plain values need) as data. Nothing is executed: a name that
/// <see cref="IPickleWorld"/> does not know ends the reading. It is a loop over one stack, so depth costs no call stack, and
/// what it keeps is bounded by the bytes it has read and by <see cref="MaximumValues"/>.
/// </summary>
internal sealed class PickleReader(string path, string place, IPickleWorld world)
{
    /// <summary>Values that one pickle may make: DWE's largest cache needs some two million.</summary>
    public const int MaximumValues = 1 << 24;

    /// <summary>Values that wait for their container at one time; Python hands over a thousand at most per level.</summary>
    public const int MaximumStack = 1 << 20;

    private const int MaximumProtocol = 5;
    private const int MaximumName = 512;
    private const int MaximumIntegerBytes = 64;

    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<long, object?> memo = [];
    private int values;
    private int opcodeAt;

    /// <summary>Reads from <paramref name="bytes"/> to its STOP.</summary>
    /// <param name="bytes">The pickle, and perhaps what follows it.</param>
    /// <param name="length">Bytes of the pickle.</param>
    /// <exception cref="UserErrorException">FileBroken naming file, byte, and the class where one is refused.</exception>
    public object? Read(ReadOnlySpan<byte> bytes, out int length)
    {
        var cursor = new PickleCursor(bytes);
        while (true)
        {
            opcodeAt = cursor.Position;
            var opcode = Take(ref cursor, 1)[0];
            if (opcode == (byte)'.')
            {
                if (stack.Count != 1 || marks.Count > 0) throw Broken($"{stack.Count} values at the end", "one");
                length = cursor.Position;
                return stack[0];
            }
            Step(opcode, ref cursor);
        }
    }

    /// <summary>The error for the instruction that is being read.</summary>
    public UserErrorException Broken(string found, string expected) =>
        SafetensorsHeader.Broken(path, $"{place}, byte {opcodeAt}", found, expected);

    private void Step(byte opcode, ref PickleCursor cursor)
    {
        switch (opcode)
        {
            case 0x80: // PROTO
                var protocol = Take(ref cursor, 1)[0];
                if (protocol > MaximumProtocol) throw Broken($"pickle protocol {protocol}", $"at most {MaximumProtocol}");
                break;
            case 0x95: // FRAME: only says how far to read ahead
                Take(ref cursor, 8);
                break;

            case (byte)'(':
                if (marks.Count >= MaximumStack) throw Broken("too deep a nesting", $"at most {MaximumStack} levels");
                marks.Add(stack.Count);
                break;
            case (byte)'0':
                if (Top() > 0) Pop();
                else if (marks.Count > 0) marks.RemoveAt(marks.Count - 1);
                else throw Broken("nothing to drop", "a value");
                break;
            case (byte)'1': PopMark(); break;
            case (byte)'2': Push(Peek()); break;

            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(ref cursor, 4))); break;
            case (byte)'K': Push((long)Take(ref cursor, 1)[0]); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(ref cursor, 2))); break;
            case 0x8a: Push(Integer(Take(ref cursor, Short(ref cursor)))); break;
            case 0x8b: Push(Integer(Take(ref cursor, Length4(ref cursor)))); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(ref cursor, 8))); break;

            case (byte)'X': Push(Text(Take(ref cursor, Length4(ref cursor)))); break;
            case 0x8c: Push(Text(Take(ref cursor, Short(ref cursor)))); break;
            case 0x8d: Push(Text(Take(ref cursor, Length8(ref cursor)))); break;
            // Python 2's texts are bytes; those of a state_dict are ASCII.
            case (byte)'T': Push(Text(Take(ref cursor, Length4(ref cursor)))); break;
            case (byte)'U': Push(Text(Take(ref cursor, Short(ref cursor)))); break;
            case (byte)'B': Push(Take(ref cursor, Length4(ref cursor)).ToArray()); break;
            case (byte)'C': Push(Take(ref cursor, Short(ref cursor)).ToArray()); break;
            case 0x8e: Push(Take(ref cursor, Length8(ref cursor)).ToArray()); break;

            case (byte)']': Push(new PickleList()); break;
            case (byte)'a':
                {
                    var item = Pop();
                    ListOnTop().Items.Add(item);
                    break;
                }
            case (byte)'e':
                {
                    var items = PopMark();
                    ListOnTop().Items.AddRange(items);
                    break;
                }
            case (byte)')': Push(PickleTuple.Empty); break;
            case (byte)'t': Push(new PickleTuple(PopMark())); break;
            case 0x85: Push(new PickleTuple(PopMany(1))); break;
            case 0x86: Push(new PickleTuple(PopMany(2))); break;
            case 0x87: Push(new PickleTuple(PopMany(3))); break;
            case (byte)'}': Push(new PickleDict()); break;
            case (byte)'s': SetAll(PopMany(2)); break;
            case (byte)'u': SetAll(PopMark()); break;

            case (byte)'q': Put(Take(ref cursor, 1)[0], cursor.Bytes.Length); break;
            case (byte)'r': Put(BinaryPrimitives.ReadUInt32LittleEndian(Take(ref cursor, 4)), cursor.Bytes.Length); break;
            case 0x94: Put(memo.Count, cursor.Bytes.Length); break;
            case (byte)'h': Push(Memo(Take(ref cursor, 1)[0])); break;
            case (byte)'j': Push(Memo(BinaryPrimitives.ReadUInt32LittleEndian(Take(ref cursor, 4)))); break;

            case (byte)'c':
                {
                    var module = Text(Line(ref cursor));
                    Push(Class(module, Text(Line(ref cursor))));
                    break;
                }
            case 0x93:
                {
                    var names = PopMany(2);
                    if (names is not [string module, string name]) throw Broken("a class whose name is no text", "two texts");
                    Push(Class(module, name));
                    break;
                }
            case (byte)'R':
            case 0x81: // NEWOBJ
                {
                    var call = PopMany(2);
                    if (call is not [PickleClass callee, PickleTuple arguments])
                        throw Broken("a call of what is no class or without a tuple", "a known class and its arguments");
                    Push(world.Call(callee, arguments, this));
                    break;
                }
            case (byte)'b': Build(Pop()); break;
            case (byte)'Q': Push(world.Persistent(Pop(), this)); break;

            default: throw Broken($"the instruction 0x{opcode:x2}", "one that tensors and plain values need");
        }
    }

    private PickleClass Class(string module, string name)
    {
        var full = $"{module}.{name}";
        if (full.Length > MaximumName) throw Broken("a class whose name is too long", $"at most {MaximumName} letters");
        return world.Find(full)
            ?? throw Broken($"the class '{Printable(full)}'", "only classes that hold tensors; nothing else is ever loaded");
    }

    private void Build(object? state)
    {
        // A class with slots pickles its state as (dict, slots): its attributes are then in both.
        PickleDict?[] parts = state switch
        {
            PickleDict dict => [dict],
            PickleTuple { Items: [var dict, var slots] } when (dict is null or PickleDict) && (slots is null or PickleDict) =>
                [dict as PickleDict, slots as PickleDict],
            _ => throw Broken("a state that is no dict", "a dict of attributes"),
        };
        switch (Peek())
        {
            case PickleObject target:
                foreach (var (name, value) in parts.OfType<PickleDict>().SelectMany(part => part.Entries))
                    target.Attributes.Set(name, value);
                break;
            // A state_dict carries `_metadata`, which versions its modules: not needed to read tensors.
            case PickleDict: break;
            default: throw Broken("a state for what has no attributes", "an object");
        }
    }

    private void SetAll(object?[] pairs)
    {
        if (Top() == 0 || Peek() is not PickleDict dict) throw Broken("entries for what is no dict", "a dict");
        SetAll(dict, pairs);
    }

    private void SetAll(PickleDict dict, object?[] pairs)
    {
        if (pairs.Length % 2 != 0) throw Broken("a key without a value", "pairs");
        for (var at = 0; at < pairs.Length; at += 2) dict.Set(pairs[at], pairs[at + 1]);
    }

    private PickleList ListOnTop() =>
        Top() > 0 && Peek() is PickleList list ? list : throw Broken("an item for what is no list", "a list");

    // --- stack and memo ---

    /// <summary>Values above the last mark.</summary>
    private int Top() => stack.Count - (marks.Count > 0 ? marks[^1] : 0);

    private void Push(object? value)
    {
        if (stack.Count >= MaximumStack || ++values > MaximumValues)
            throw Broken("too many values", $"at most {MaximumValues}, {MaximumStack} at one time");
        stack.Add(value);
    }

    private object? Peek() => Top() > 0 ? stack[^1] : throw Broken("nothing", "a value");

    private object? Pop() => PopMany(1)[0];

    private object?[] PopMany(int count)
    {
        if (Top() < count) throw Broken($"{Top()} values", $"{count}");
        var items = stack.GetRange(stack.Count - count, count).ToArray();
        stack.RemoveRange(stack.Count - count, count);
        return items;
    }

    private object?[] PopMark()
    {
        if (marks.Count == 0) throw Broken("the end of a group that was not begun", "a mark");
        var items = PopMany(Top());
        marks.RemoveAt(marks.Count - 1);
        return items;
    }

    private void Put(long id, int bytes)
    {
        // Every remembered value took at least one byte, so honest ids stay below the pickle's length.
        if (id < 0 || id >= bytes) throw Broken($"memo id {id}", $"at most {bytes}, one per byte");
        memo[id] = Peek();
    }

    private object? Memo(long id) =>
        memo.TryGetValue(id, out var value) ? value : throw Broken($"memo id {id}", "one that was set before");

    // --- bytes ---

    private ReadOnlySpan<byte> Take(ref PickleCursor cursor, int count)
    {
        var left = cursor.Bytes.Length - cursor.Position;
        if (count > left) throw Broken($"{left} more bytes", $"{count}");
        var taken = cursor.Bytes.Slice(cursor.Position, count);
        cursor.Position += count;
        return taken;
    }

    private int Short(ref PickleCursor cursor) => Take(ref cursor, 1)[0];

    private int Length4(ref PickleCursor cursor) =>
        Length(BinaryPrimitives.ReadUInt32LittleEndian(Take(ref cursor, 4)), cursor);

    private int Length8(ref PickleCursor cursor) =>
        Length(BinaryPrimitives.ReadUInt64LittleEndian(Take(ref cursor, 8)), cursor);

    private int Length(ulong length, PickleCursor cursor)
    {
        var left = cursor.Bytes.Length - cursor.Position;
        return length <= (ulong)left ? (int)length : throw Broken($"a length of {length} bytes", $"at most the {left} that follow");
    }

    private ReadOnlySpan<byte> Line(ref PickleCursor cursor)
    {
        var end = cursor.Bytes[cursor.Position..].IndexOf((byte)'\n');
        if (end < 0) throw Broken("a line without an end", "a line");
        var line = Take(ref cursor, end);
        Take(ref cursor, 1);
        return line;
    }

    private string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Broken("a text that is not valid UTF-8", "UTF-8");
        }
    }

    private object Integer(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumIntegerBytes)
            throw Broken($"an integer of {bytes.Length} bytes", $"at most {MaximumIntegerBytes}");
        var value = new BigInteger(bytes);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private static string Printable(string name) =>
        string.Concat(name.Select(letter => char.IsControl(letter) ? '?' : letter));

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ref struct PickleCursor(ReadOnlySpan<byte> bytes)
    {
        public readonly ReadOnlySpan<byte> Bytes = bytes;
        public int Position;
    }
}
