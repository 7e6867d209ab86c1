using Dwe.Host.Terminal;
using Spectre.Console;

namespace Dwe.Host.Experiments;

/// <summary>Cells of text: on the console, and as Markdown. The first column is flush left, all others flush right.</summary>
internal sealed record TextTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows, string Note)
{
    public void Print(IAnsiConsole console)
    {
        var table = new Table().Border(TableBorder.Rounded);
        for (var column = 0; column < Header.Count; column++)
        {
            var head = new TableColumn(Markup.Escape(Header[column]));
            table.AddColumn(column == 0 ? head : head.RightAligned());
        }

        foreach (var row in Rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        console.Write(table);
        console.Line(Note);
    }

    public string ToMarkdown()
    {
        static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|")))} |\n";
        var rule = Header.Select((_, column) => column == 0 ? "---" : "---:");
        return Line(Header) + Line(rule) + string.Concat(Rows.Select(Line)) + $"\n{Note}\n";
    }
}
