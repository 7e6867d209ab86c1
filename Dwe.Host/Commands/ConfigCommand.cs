using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe config</c>: every key with its value, its meaning and what it may be.</summary>
internal static class ConfigCommand
{
    public static int Run(ConfigSource source, bool json)
    {
        var config = ConfigSources.Read(source);
        if (json)
        {
            Console.Out.Write(Configuration.Write(config));
            return ExitCode.Success;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("key", "value", "meaning", "expected");
        foreach (var (key, value, meaning, expected) in Configuration.Describe(config))
        {
            table.AddRow(Markup.Escape(key), Markup.Escape(value), Markup.Escape(meaning), Markup.Escape(expected));
        }

        Streams.Results.Write(table);
        return ExitCode.Success;
    }
}
