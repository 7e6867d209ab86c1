using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Terminal;
using Dwe.Model.Config;

namespace Dwe.Host.Commands;

/// <summary><c>dwe demo</c>: the drawn sample's run, trained where it is not there yet, served with its page.</summary>
internal static class DemoCommand
{
    public static int Run(DemoOptions options, CancellationToken stop)
    {
        var folder = new RunFolder(options.Run);
        if (!File.Exists(folder.Result(Splits.Dev, "strict")))
        {
            Streams.Note($"training on the drawn sample first, about half a minute; it is kept in {folder.Path}");
            var end = TrainCommand.Run(options.Training(resume: Directory.Exists(folder.Last)), stop);
            if (end != ExitCode.Success) return end;
        }

        return ServeCommand.Run(options.Serving, stop);
    }
}
