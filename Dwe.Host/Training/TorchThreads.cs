using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using TorchSharp;

namespace Dwe.Host.Training;

/// <summary>
/// How many threads torch computes with. Products and sums are cut into as many pieces as there are threads, so their number
/// decides the last bits: a run keeps the number that it was begun with, on whatever machine it goes on.
/// </summary>
internal static class TorchThreads
{
    /// <summary>
    /// The configuration with its number of threads written down: <c>training.threads</c>, or where that is 0 what torch
    /// takes by itself. From now on torch uses that many. libtorch must be loaded.
    /// </summary>
    public static RunConfig Settle(RunConfig config)
    {
        var threads = config.Training.Threads > 0 ? config.Training.Threads : torch.get_num_threads();
        torch.set_num_threads(threads);
        return Configuration.Set(config, [$"training.threads={threads}"]).OrThrow();
    }
}
