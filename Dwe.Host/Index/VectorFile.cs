using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>
/// The vectors of a segment, mapped: <c>vectors</c> [rows; dim] as float32, float16 or int8, and for int8 <c>scales</c> [rows].
/// An int8 row is the vector over its largest number times 127, rounded; its scale makes it length 1 again.
/// </summary>
internal sealed unsafe class VectorFile : IDisposable
{
    private const string Vectors = "vectors";
    private const string Scales = "scales";
    private const float MostOfByte = 127;

    private readonly SafetensorsReader reader;
    private readonly byte* start;
    private readonly float[] scales;

    private VectorFile(SafetensorsReader reader, Dtype dtype, int rows, int dim)
    {
        this.reader = reader;
        (Dtype, Rows, Dim) = (dtype, rows, dim);
        start = rows == 0 ? null : reader.Mapping.At(reader.Entry(Vectors).Offset);
        scales = dtype == Dtype.I8 ? reader.ReadSingles(Scales) : [];
    }

    public Dtype Dtype { get; }

    public int Rows { get; }

    public int Dim { get; }

    /// <summary>Opens a segment's vectors and refuses other sizes than the manifest names.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken or StoreMismatch.</exception>
    public static VectorFile Open(string path, Dtype dtype, int rows, int dim)
    {
        var reader = SafetensorsReader.Open(path);
        try
        {
            Require(reader, new TensorSpec(Vectors, dtype, [rows, dim]));
            if (dtype == Dtype.I8) Require(reader, new TensorSpec(Scales, Dtype.F32, [rows]));
            return new VectorFile(reader, dtype, rows, dim);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Writes rows of length 1, which come in blocks of any size, in order. Flushed with the folder it is in.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dtype">How numbers are kept.</param>
    /// <param name="rows">How many rows there will be.</param>
    /// <param name="dim">Their width.</param>
    /// <param name="blocks">[...; dim] float32 each.</param>
    public static void Write(string path, Dtype dtype, int rows, int dim, IEnumerable<ReadOnlyMemory<float>> blocks)
    {
        var vectors = new TensorSpec(Vectors, dtype, [rows, dim]);
        TensorSpec[] tensors = dtype == Dtype.I8 ? [vectors, new TensorSpec(Scales, Dtype.F32, [rows])] : [vectors];
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        var writer = new SafetensorsWriter(stream, tensors);
        var scales = new List<float>();
        foreach (var block in blocks) Append(writer, dtype, dim, block.Span, scales);
        if (dtype == Dtype.I8) writer.Append<float>(Scales, CollectionsMarshal.AsSpan(scales));
        writer.Complete();
    }

    /// <summary>The rows' place in memory; valid while the mapping is held.</summary>
    public TNumber* At<TNumber>(int row) where TNumber : unmanaged =>
        (TNumber*)(start + (long)row * Dim * sizeof(TNumber));

    /// <summary>What a sum over a row's numbers is multiplied by; empty where it is what it is.</summary>
    public ReadOnlySpan<float> ScalesOf(int first, int count) =>
        scales.Length == 0 ? [] : scales.AsSpan(first, count);

    /// <summary>The numbers of a row without its scale, as float32.</summary>
    public void Widen(int row, Span<float> target)
    {
        switch (Dtype)
        {
            case Dtype.F32:
                new ReadOnlySpan<float>(At<float>(row), Dim).CopyTo(target);
                break;
            case Dtype.F16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(At<Half>(row), Dim), target);
                break;
            default:
                TensorPrimitives.ConvertChecked<sbyte, float>(new ReadOnlySpan<sbyte>(At<sbyte>(row), Dim), target);
                break;
        }
    }

    /// <summary>A row as a vector.</summary>
    public void Copy(int row, Span<float> target)
    {
        using var held = Hold();
        Widen(row, target[..Dim]);
        if (scales.Length > 0) TensorPrimitives.Multiply(target[..Dim], scales[row], target);
    }

    /// <summary>Keeps the mapping until the result is disposed, though the file is closed meanwhile.</summary>
    public Held Hold()
    {
        reader.Mapping.Acquire();
        return new Held(reader.Mapping);
    }

    /// <summary>A hold on a mapping.</summary>
    public readonly struct Held(MappedFile mapping) : IDisposable
    {
        public void Dispose() => mapping.Release();
    }

    public void Dispose() => reader.Dispose();

    private static void Append(
        SafetensorsWriter writer, Dtype dtype, int dim, ReadOnlySpan<float> block, List<float> scales)
    {
        switch (dtype)
        {
            case Dtype.F32:
                writer.Append(Vectors, block);
                break;
            case Dtype.F16:
                var halves = new Half[block.Length];
                TensorPrimitives.ConvertToHalf(block, halves);
                writer.Append<Half>(Vectors, halves);
                break;
            case Dtype.I8:
                var numbers = new sbyte[block.Length];
                for (var at = 0; at < block.Length; at += dim)
                    scales.Add(Round(block.Slice(at, dim), numbers.AsSpan(at, dim)));
                writer.Append<sbyte>(Vectors, numbers);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "an index keeps F32, F16 or I8");
        }
    }

    /// <summary>Rounds a row to whole numbers; returns 1 over their length, 0 for a row of zeros.</summary>
    private static float Round(ReadOnlySpan<float> row, Span<sbyte> numbers)
    {
        var most = TensorPrimitives.MaxMagnitude(row);
        if (most == 0) return 0;
        var factor = MostOfByte / MathF.Abs(most);
        var squares = 0;
        for (var at = 0; at < row.Length; at++)
        {
            var number = (int)MathF.Round(row[at] * factor);
            numbers[at] = (sbyte)number;
            squares += number * number;
        }

        return 1 / MathF.Sqrt(squares);
    }

    private static void Require(SafetensorsReader reader, TensorSpec expected)
    {
        var text = $"{expected.Name} {expected.Dtype} [{string.Join(", ", expected.Shape)}] as the manifest says";
        if (!reader.Contains(expected.Name)) throw Mismatch(reader.Path, $"no tensor '{expected.Name}'", text);
        var found = reader.Entry(expected.Name);
        if (found.Dtype != expected.Dtype || !found.Shape.SequenceEqual(expected.Shape))
            throw Mismatch(reader.Path, $"{expected.Name} {found}", text);
    }

    private static UserErrorException Mismatch(string path, string found, string expected) =>
        new(UserError.NewStoreMismatch(path, found, expected, "Build the index again with `dwe index`."));
}
