using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>Operators that pick elements, or put them somewhere.</summary>
internal static class IndexingOps
{
    public static readonly Dictionary<string, OpConverter> Table = new()
    {
        ["StridedSlice"] = StridedSlice,
        ["Slice"] = Slice,
        ["GatherV2"] = Gather,
        ["GatherNd"] = op => [op.Emit("GatherND", [op.Input(0), op.Input(1)])],
        ["ScatterNd"] = Scatter,
        ["SparseToDense"] = SparseToDense,
        // TensorFlow lists one coordinate per row, ONNX one per column.
        ["Where"] = op =>
            [op.Emit("Transpose", [op.Emit("NonZero", [op.Input(0)])], OnnxAttribute.Of("perm", [1L, 0]))],
        ["TopKV2"] = TopK,
    };

    /// <summary>(value, begin, end, strides, all constant). A set mask bit i concerns axis i.</summary>
    private static string[] StridedSlice(OpConversion op)
    {
        foreach (var mask in new[] { "ellipsis_mask", "new_axis_mask" })
            if (op.Node.Integer(mask) != 0) throw op.Node.Refuse($"{mask} {op.Node.Integer(mask)}", "0");
        var (begin, end, strides) = (op.Integers(1), op.Integers(2), op.Integers(3));
        bool Masked(string mask, int axis) => (op.Node.Integer(mask) >> axis & 1) == 1;
        var shrunk = Enumerable.Range(0, begin.Length).Where(axis => Masked("shrink_axis_mask", axis)).ToArray();
        for (var axis = 0; axis < begin.Length; axis++)
        {
            var forward = strides[axis] > 0;
            if (shrunk.Contains(axis))
                (end[axis], strides[axis]) = (begin[axis] == -1 ? long.MaxValue : begin[axis] + 1, 1);
            else if (Masked("end_mask", axis)) end[axis] = forward ? long.MaxValue : long.MinValue;
            if (Masked("begin_mask", axis) && !shrunk.Contains(axis)) begin[axis] = forward ? 0 : long.MaxValue;
        }
        var axes = Enumerable.Range(0, begin.Length).Select(axis => (long)axis).ToArray();
        var sliced = op.Emit(
            "Slice", [op.Input(0), op.Vector(begin), op.Vector(end), op.Vector(axes), op.Vector(strides)]);
        return shrunk.Length == 0
            ? [sliced]
            : [op.Emit("Squeeze", [sliced, op.Vector(shrunk.Select(axis => (long)axis).ToArray())])];
    }

    /// <summary>(value, constant begin, constant size); a size of -1 reaches to the end.</summary>
    private static string[] Slice(OpConversion op)
    {
        var (begin, size) = (op.Integers(1), op.Integers(2));
        var end = begin.Zip(size, (first, length) => length == -1 ? long.MaxValue : first + length).ToArray();
        return [op.Emit("Slice", [op.Input(0), op.Vector(begin), op.Vector(end)])];
    }

    private static string[] Gather(OpConversion op)
    {
        if (op.Node.Integer("batch_dims") != 0) throw op.Node.Refuse("batch_dims", "0");
        return [op.Emit("Gather", [op.Input(0), op.Input(1)], OnnxAttribute.Of("axis", op.Integers(2)[0]))];
    }

    /// <summary>(indices, updates, shape): zeros of that shape plus the updates; those of one place add up.</summary>
    private static string[] Scatter(OpConversion op)
    {
        var zero = op.Node.Type("T") == ElementType.Float32 ? OnnxTensor.Scalar(0f) : OnnxTensor.Scalar(0L);
        var zeros = op.Emit("Expand", [op.Constant(zero), op.Input(2)]);
        return [op.Emit("ScatterND", [zeros, op.Input(0), op.Input(1)], OnnxAttribute.Of("reduction", "add"))];
    }

    /// <summary>(indices [n, rank], shape, values [n], default).</summary>
    private static string[] SparseToDense(OpConversion op)
    {
        if (op.TryConstant(0, out var indices) && indices.Shape.Length != 2)
            throw op.Node.Refuse($"indices of rank {indices.Shape.Length}", "rank 2");
        var filled = op.Emit("Expand", [op.Input(3), op.Input(1)]);
        return [op.Emit("ScatterND", [filled, op.Input(0), op.Input(2)])];
    }

    /// <summary>(value, constant k), over the last axis, greatest first; of equals the first wins, in both.</summary>
    private static string[] TopK(OpConversion op) =>
        op.EmitMany("TopK", [op.Input(0), op.Vector(op.Integers(1))], 2, OnnxAttribute.Of("axis", -1));
}
