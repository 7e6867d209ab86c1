using System.Globalization;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>One record of a data set's file, whatever the file is made of. What it refuses names file, record and field.</summary>
internal abstract class Record
{
    /// <summary>The names of the fields that are there, in file order.</summary>
    public abstract IEnumerable<string> Names { get; }

    /// <summary>The text of a field; null where it is absent or null.</summary>
    /// <exception cref="UserErrorException">FileBroken: another kind of value.</exception>
    public abstract string? TextOrNull(string name);

    /// <summary>The texts of a field that is a list, or a text alone; none where it is absent, null or empty.</summary>
    /// <exception cref="UserErrorException">FileBroken: another kind of value.</exception>
    public abstract string[] Texts(string name);

    /// <summary>A field that may be of any kind: its text where it is one, else null.</summary>
    public abstract string? TextIfAny(string name);

    /// <summary>An id, which some files write as a number; null where it is absent, null or empty.</summary>
    public abstract string? IdOrNull(string name);

    /// <summary>The error for one field, or for the record as a whole.</summary>
    public abstract UserErrorException Broken(string? field, string found, string expected);

    /// <summary>The text of a field that every record has.</summary>
    public string Text(string name, string expected) =>
        TextOrNull(name) ?? throw Broken(null, $"a record without '{name}'", expected);

    /// <summary>The text of a field; null where it is absent, null or empty.</summary>
    public string? TextUnlessEmpty(string name) => TextOrNull(name) is { Length: > 0 } text ? text : null;

    /// <summary>An entity's id, NIL, or nothing.</summary>
    public Gold Gold(string name) => GoldOf(IdOrNull(name));

    /// <summary>A box as a list of four numbers, or as the text of one; null where it is absent.</summary>
    /// <exception cref="UserErrorException">FileBroken: no four finite numbers, or a box turned inside out.</exception>
    public Box? Box(string name)
    {
        if (IdOrNull(name) is not { } text) return null;
        const string Expected = "four numbers: left, top, right, bottom";
        var parts = text.Trim().TrimStart('[').TrimEnd(']').Split(',', StringSplitOptions.TrimEntries);
        var numbers = new double[4];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (parts.Length != numbers.Length
                || !double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])
                || !double.IsFinite(numbers[i]))
            {
                throw Broken(name, Shown(text), Expected);
            }
        }
        return numbers[0] <= numbers[2] && numbers[1] <= numbers[3]
            ? new Box(numbers[0], numbers[1], numbers[2], numbers[3])
            : throw Broken(name, Shown(text), "a box whose left is not right of its right, nor its top below its bottom");
    }

    /// <summary>What an answer means: <c>nil</c> in any case is NIL, nothing is unlabelled.</summary>
    public static Gold GoldOf(string? answer) => answer switch
    {
        null or "" => Dwe.Model.Domain.Gold.Unlabelled,
        _ when answer.Equals("nil", StringComparison.OrdinalIgnoreCase) => Dwe.Model.Domain.Gold.Nil,
        _ => Dwe.Model.Domain.Gold.NewEntity(answer),
    };

    /// <summary>A value in a message: in quotes, and not longer than a line.</summary>
    public static string Shown(string text) => text.Length <= 60 ? $"'{text}'" : $"'{text[..60]}...'";
}
