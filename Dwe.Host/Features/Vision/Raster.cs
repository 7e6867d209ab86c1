using System.Numerics;
using Dwe.Host.Features.Images;

namespace Dwe.Host.Features.Vision;

/// <summary>Interleaved samples, row by row: [Height; Width; Channels].</summary>
internal sealed record Raster<T>(int Width, int Height, int Channels, T[] Values)
    where T : unmanaged, INumberBase<T>;

/// <summary>
/// The ways in which the models' authors bring a picture to a net's input size. They differ in where a sample is taken, and
/// a net notices.
/// </summary>
internal static class Resampling
{
    /// <summary>A decoded picture in RGB, as samples 0..255; not a copy where it is RGB already.</summary>
    public static Raster<byte> Rgb(DecodedImage image)
    {
        var rgb = image.ToRgb();
        return new Raster<byte>(rgb.Width, rgb.Height, 3, rgb.Pixels);
    }

    /// <summary>
    /// TensorFlow's <c>resizeBilinear</c> without half pixels or aligned corners: source = target * (source size / target size),
    /// four neighbours, no averaging. The source stands at (<paramref name="offsetX"/>, <paramref name="offsetY"/>) on black
    /// of <paramref name="canvasWidth"/> x <paramref name="canvasHeight"/>.
    /// </summary>
    public static Raster<float> OnCanvas<T>(
        Raster<T> source, int canvasWidth, int canvasHeight, int offsetX, int offsetY, int width, int height)
        where T : unmanaged, INumberBase<T>
    {
        var scaleX = canvasWidth / (float)width;
        var scaleY = canvasHeight / (float)height;
        return Sample(
            source, width, height,
            x => Step(x * scaleX, canvasWidth, offsetX),
            y => Step(y * scaleY, canvasHeight, offsetY));

        static (int Low, int High, float Share) Step(float at, int size, int offset)
        {
            var low = (int)at;
            return (low - offset, Math.Min(low + 1, size - 1) - offset, at - low);
        }
    }

    /// <summary><see cref="OnCanvas"/> with nothing around the source.</summary>
    public static Raster<float> Bilinear<T>(Raster<T> source, int width, int height)
        where T : unmanaged, INumberBase<T> =>
        OnCanvas(source, source.Width, source.Height, 0, 0, width, height);

    /// <summary>
    /// TensorFlow's <c>cropAndResize</c>: source = first + target * (last - first) / (target size - 1), where first and last are
    /// the box' edges times (size - 1) / size; what lies outside is 0.
    /// </summary>
    public static Raster<float> Crop<T>(Raster<T> source, Region box, int width, int height)
        where T : unmanaged, INumberBase<T>
    {
        return Sample(
            source, width, height,
            x => Step(x, box.Left, box.Right, source.Width, width),
            y => Step(y, box.Top, box.Bottom, source.Height, height));

        static (int Low, int High, float Share) Step(int target, float from, float to, int size, int count)
        {
            var inner = (size - 1) / (float)size;
            var at = (from * inner) + (target * (to - from) * inner / (count - 1));
            var low = MathF.Floor(at);
            return at < 0 || at > size - 1 ? (-1, -1, 0) : ((int)low, (int)MathF.Ceiling(at), at - low);
        }
    }

    /// <summary>
    /// Triangle filter whose width grows with the reduction, so that no pixel is skipped; half-pixel centres, edges by the
    /// weights that are inside. First rows, then columns.
    /// </summary>
    public static Raster<float> Smooth<T>(Raster<T> source, int width, int height)
        where T : unmanaged, INumberBase<T>
    {
        var channels = source.Channels;
        var across = Weights(source.Width, width);
        var narrow = new float[source.Height * width * channels];
        for (var y = 0; y < source.Height; y++)
        {
            var row = source.Values.AsSpan(y * source.Width * channels, source.Width * channels);
            for (var x = 0; x < width; x++)
            {
                var (first, weights) = across[x];
                var at = ((y * width) + x) * channels;
                for (var i = 0; i < weights.Length; i++)
                    for (var c = 0; c < channels; c++)
                        narrow[at + c] += weights[i] * float.CreateTruncating(row[((first + i) * channels) + c]);
            }
        }

        var down = Weights(source.Height, height);
        var stride = width * channels;
        var values = new float[height * stride];
        for (var y = 0; y < height; y++)
        {
            var (first, weights) = down[y];
            var target = values.AsSpan(y * stride, stride);
            for (var i = 0; i < weights.Length; i++)
            {
                var from = narrow.AsSpan((first + i) * stride, stride);
                for (var x = 0; x < stride; x++) target[x] += weights[i] * from[x];
            }
        }
        return new Raster<float>(width, height, channels, values);
    }

    /// <summary>Each value through a function, in place.</summary>
    public static Raster<float> Map(this Raster<float> raster, Func<float, float> function)
    {
        var values = raster.Values;
        for (var i = 0; i < values.Length; i++) values[i] = function(values[i]);
        return raster;
    }

    /// <summary>The mirror image, left for right.</summary>
    public static Raster<float> Flipped(this Raster<float> raster)
    {
        var flipped = new float[raster.Values.Length];
        for (var y = 0; y < raster.Height; y++)
        {
            for (var x = 0; x < raster.Width; x++)
            {
                var from = ((y * raster.Width) + x) * raster.Channels;
                var to = ((y * raster.Width) + raster.Width - 1 - x) * raster.Channels;
                raster.Values.AsSpan(from, raster.Channels).CopyTo(flipped.AsSpan(to));
            }
        }
        return raster with { Values = flipped };
    }

    /// <summary>A rectangle of whole pixels, copied.</summary>
    public static Raster<T> Cut<T>(this Raster<T> source, (int Left, int Top, int Width, int Height) box)
        where T : unmanaged, INumberBase<T>
    {
        var stride = box.Width * source.Channels;
        var values = new T[box.Height * stride];
        for (var y = 0; y < box.Height; y++)
        {
            source.Values.AsSpan(((((box.Top + y) * source.Width) + box.Left) * source.Channels), stride)
                .CopyTo(values.AsSpan(y * stride));
        }
        return new Raster<T>(box.Width, box.Height, source.Channels, values);
    }

    private static Raster<float> Sample<T>(
        Raster<T> source, int width, int height,
        Func<int, (int Low, int High, float Share)> column, Func<int, (int Low, int High, float Share)> row)
        where T : unmanaged, INumberBase<T>
    {
        var channels = source.Channels;
        var columns = Enumerable.Range(0, width).Select(column).ToArray();
        var values = new float[width * height * channels];
        var at = 0;
        for (var y = 0; y < height; y++)
        {
            var (top, bottom, shareY) = row(y);
            foreach (var (left, right, shareX) in columns)
            {
                for (var c = 0; c < channels; c++)
                {
                    var upper = Between(Value(source, left, top, c), Value(source, right, top, c), shareX);
                    var lower = Between(Value(source, left, bottom, c), Value(source, right, bottom, c), shareX);
                    values[at++] = Between(upper, lower, shareY);
                }
            }
        }
        return new Raster<float>(width, height, channels, values);
    }

    private static float Between(float from, float to, float share) => from + ((to - from) * share);

    private static float Value<T>(Raster<T> source, int x, int y, int channel)
        where T : unmanaged, INumberBase<T> =>
        (uint)x < (uint)source.Width && (uint)y < (uint)source.Height
            ? float.CreateTruncating(source.Values[(((y * source.Width) + x) * source.Channels) + channel])
            : 0;

    private static (int First, float[] Weights)[] Weights(int size, int count)
    {
        var scale = size / (double)count;
        var support = Math.Max(1, scale);
        return [.. Enumerable.Range(0, count).Select(target =>
        {
            var centre = (target + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var last = Math.Min(size, (int)(centre + support + 0.5));
            var weights = Enumerable.Range(first, last - first)
                .Select(at => Math.Max(0, 1 - (Math.Abs(at + 0.5 - centre) / support))).ToArray();
            var sum = weights.Sum();
            return (first, weights.Select(weight => (float)(weight / sum)).ToArray());
        })];
    }
}
