using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Dwe.Host.Reports;

/// <summary>
/// A piece of a page. It is made from interpolated text whose literals are markup and whose holes are text: a hole is escaped
/// unless it is itself <see cref="Html"/>, so what comes from files cannot become markup.
/// </summary>
internal readonly record struct Html(string Markup)
{
    public static readonly Html Nothing = new("");

    /// <summary>Escapes the holes; for contents of elements and for attributes in double or single quotes.</summary>
    public static Html Of(HtmlText text) => new(text.ToString());

    public static Html Join(IEnumerable<Html> pieces) => new(string.Concat(pieces.Select(piece => piece.Markup)));

    /// <inheritdoc/>
    public override string ToString() => Markup;
}

/// <summary>What the compiler turns <c>$"..."</c> into where <see cref="Html.Of"/> takes it.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlText(int literalLength, int holes)
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder built = new(literalLength + (holes * 16));

    public void AppendLiteral(string markup) => built.Append(markup);

    public void AppendFormatted(Html piece) => built.Append(piece.Markup);

    public void AppendFormatted(IEnumerable<Html> pieces) => built.Append(Html.Join(pieces).Markup);

    public void AppendFormatted(string? text) => built.Append(Encoder.Encode(text ?? ""));

    public void AppendFormatted(int number) => built.Append(number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override string ToString() => built.ToString();
}
