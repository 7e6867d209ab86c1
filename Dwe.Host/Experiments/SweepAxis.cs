using System.Globalization;
using System.Text.Json;
using Dwe.Model;
using Dwe.Model.Domain;
using Microsoft.FSharp.Collections;

namespace Dwe.Host.Experiments;

/// <summary>One key of a space: values to choose from, or a range to draw from.</summary>
internal sealed class SweepAxis
{
    private static readonly string[] RangeKeys = ["from", "to", "scale"];

    private readonly double from;
    private readonly double to;
    private readonly bool isLog;
    private readonly bool isWhole;

    private SweepAxis(string key, IReadOnlyList<string> choices)
    {
        Key = key;
        Choices = choices;
    }

    private SweepAxis(string key, (double From, double To) bounds, bool isLog, bool isWhole)
    {
        Key = key;
        (from, to) = bounds;
        this.isLog = isLog;
        this.isWhole = isWhole;
    }

    public string Key { get; }

    /// <summary>Null for a range.</summary>
    public IReadOnlyList<string>? Choices { get; }

    /// <exception cref="UserErrorException">KeyUnknown; ValueInvalid.</exception>
    public static SweepAxis Read(ExperimentFile file, JsonProperty axis)
    {
        string[] known = [.. Configuration.Describe(Configuration.Defaults).Select(field => field.Item1)];
        if (!known.Contains(axis.Name))
        {
            throw new UserErrorException(UserError.NewKeyUnknown($"{file.Path}, space", axis.Name, ListModule.OfSeq(known)));
        }

        return axis.Value.ValueKind switch
        {
            JsonValueKind.Array when axis.Value.GetArrayLength() > 0 => new SweepAxis(axis.Name, [.. axis.Value.EnumerateArray().Select(Text)]),
            JsonValueKind.Object => Range(file, axis),
            _ => throw file.Invalid($"space, {axis.Name}", axis.Value.GetRawText(), "a list of values, or {\"from\", \"to\", \"scale\"}"),
        };
    }

    /// <summary>
    /// One value: a choice; or a number of [from, to], evenly or evenly in its logarithm. Where both bounds are written as whole
    /// numbers, so is what is drawn, and both may be.
    /// </summary>
    public string Draw(SeededRandom random)
    {
        if (Choices is not null)
        {
            return Choices[random.Next(Choices.Count)];
        }

        var (low, high) = isWhole ? (from - 0.5, to + 0.5) : (from, to);
        var share = random.NextDouble();
        var value = isLog ? Math.Exp(Math.Log(low) + share * (Math.Log(high) - Math.Log(low))) : low + share * (high - low);
        return isWhole
            ? Math.Clamp(Math.Round(value), from, to).ToString("0", CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture);
    }

    private static string Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static SweepAxis Range(ExperimentFile file, JsonProperty axis)
    {
        var place = $"{file.Path}, space, {axis.Name}";
        if (axis.Value.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !RangeKeys.Contains(name)) is { } unknown)
        {
            throw new UserErrorException(UserError.NewKeyUnknown(place, unknown, ListModule.OfSeq(RangeKeys)));
        }

        var (from, to) = (Bound(place, axis.Value, "from"), Bound(place, axis.Value, "to"));
        var isLog = axis.Value.TryGetProperty("scale", out var scale) && (Text(scale) is "log" or "linear"
            ? Text(scale) == "log"
            : throw Invalid(place, "scale", scale.GetRawText(), "linear or log"));
        if (from.Value >= to.Value)
        {
            throw Invalid(place, "to", to.Text, $"more than from, {from.Text}");
        }

        if (isLog && from.Value <= 0)
        {
            throw Invalid(place, "from", from.Text, "more than 0, since scale is log");
        }

        return new SweepAxis(axis.Name, (from.Value, to.Value), isLog, IsWhole(from.Text) && IsWhole(to.Text));
    }

    private static bool IsWhole(string text) => text.All(letter => char.IsAsciiDigit(letter) || letter == '-');

    private static (double Value, string Text) Bound(string place, JsonElement range, string name) =>
        range.TryGetProperty(name, out var bound) && bound.ValueKind == JsonValueKind.Number && double.IsFinite(bound.GetDouble())
            ? (bound.GetDouble(), bound.GetRawText())
            : throw Invalid(place, name, range.TryGetProperty(name, out var found) ? found.GetRawText() : "nothing", "a number");

    private static UserErrorException Invalid(string place, string key, string value, string expected) =>
        new(UserError.NewValueInvalid(place, key, value, expected));
}
