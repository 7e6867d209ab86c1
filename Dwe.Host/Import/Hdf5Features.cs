using Dwe.Host.Storage;
using Dwe.Model.Domain;
using PureHDF;

namespace Dwe.Host.Import;

/// <summary>
/// The matrix of an HDF5 file that DWE's scripts write: <c>gt_feats_*.h5</c>, <c>text_entity.h5</c>, <c>image_entity.h5</c>,
/// <c>profile.h5</c>, each with one data set <c>features</c>, float32 [rows, values].
/// </summary>
internal sealed class Hdf5Features
{
    private const string DatasetName = "features";

    // A compressed file may hold more than its size, but nothing compresses vectors of an encoder further than this.
    private const int MaximumRatio = 64;

    private readonly float[] values;

    private Hdf5Features(string path, int rows, int dim, float[] values)
    {
        Path = path;
        Rows = rows;
        Dim = dim;
        this.values = values;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Number of vectors.</summary>
    public int Rows { get; }

    /// <summary>Values per vector.</summary>
    public int Dim { get; }

    /// <summary>One vector.</summary>
    public ReadOnlySpan<float> Row(int row) => values.AsSpan(row * Dim, Dim);

    /// <summary>Reads a file.</summary>
    /// <exception cref="UserErrorException">FileMissing; FileBroken for a file that is no HDF5, or has other contents.</exception>
    public static Hdf5Features Read(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(path, "an HDF5 file of features", "Check the path."));
        if (PlainHdf5.Read(path, DatasetName) is var (plain, plainRows, plainDim)) return new Hdf5Features(path, plainRows, plainDim, plain);
        try
        {
            using var file = H5File.OpenRead(path);
            var features = file.Dataset(DatasetName);
            var (rows, dim) = SizeOf(path, features);
            var values = features.Read<float[]>();
            if (values.LongLength != (long)rows * dim)
                throw Broken(path, $"{values.LongLength} values", $"{rows} x {dim}");
            return new Hdf5Features(path, rows, dim, values);
        }
        catch (Exception problem) when (problem is not UserErrorException)
        {
            // The library raises whatever it stumbles over (casts, indices, ends of streams), and promises no kind of
            // exception: for its caller, each of them says that the file is not sound. So does memory that is short: what a
            // sound file of this size can need was checked, and a damaged one may ask for an array of any length.
            throw Broken(path, problem.Message.ReplaceLineEndings(" ").TrimEnd('.'), "a sound HDF5 file with that data set");
        }
    }

    private static (int Rows, int Dim) SizeOf(string path, IH5Dataset features)
    {
        var type = features.Type;
        if (type.Class != H5DataTypeClass.FloatingPoint || type.Size != sizeof(float))
            throw Broken(path, $"elements of {type.Class}, {type.Size} bytes", "float32");
        var dimensions = features.Space.Dimensions;
        if (dimensions is not [var rows, > 0 and var dim])
            throw Broken(path, $"[{string.Join(", ", dimensions)}]", "two dimensions, rows and values");
        var most = Math.Min((ulong)Array.MaxLength, (ulong)new FileInfo(path).Length / sizeof(float) * MaximumRatio);
        if (rows > most || dim > most || rows * dim > most) throw Broken(path, $"[{rows}, {dim}]", $"at most {most} values in a file of this size");
        return ((int)rows, (int)dim);
    }

    private static UserErrorException Broken(string path, string found, string expected) =>
        SafetensorsHeader.Broken(path, $"data set '{DatasetName}'", found, expected);
}
