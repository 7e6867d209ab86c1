using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dwe.Host.Native;
using Dwe.Model.Domain;
using Microsoft.ML.OnnxRuntime;
using Spectre.Console;
using TorchSharp;

namespace Dwe.Host.Commands;

/// <summary>What <c>dwe doctor</c> finds; absent facts are those that need a libtorch that did not load.</summary>
internal sealed record DoctorFacts
{
    /// <summary>This program's version.</summary>
    public required string Dwe { get; init; }

    /// <summary>The .NET runtime.</summary>
    public required string DotNet { get; init; }

    /// <summary>The operating system and its architecture.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>The TorchSharp assembly's version.</summary>
    public required string TorchSharp { get; init; }

    /// <summary>The libtorch version TorchSharp was made for.</summary>
    public string? LibTorch { get; init; }

    /// <summary>The ONNX Runtime's version, or its loader's error.</summary>
    public required string OnnxRuntime { get; init; }

    /// <summary>Logical processors this process may use.</summary>
    public required int Processors { get; init; }

    /// <summary>Threads libtorch uses inside one operation.</summary>
    public int? TorchThreads { get; init; }

    /// <summary>Instruction sets of the processor.</summary>
    public required IReadOnlyList<string> CpuFeatures { get; init; }

    /// <summary>What <c>--device</c> asked for comes to.</summary>
    public string? Device { get; init; }

    /// <summary>Whether libtorch sees a CUDA device.</summary>
    public bool? CudaAvailable { get; init; }

    /// <summary>How many CUDA devices it sees.</summary>
    public int? CudaDevices { get; init; }

    /// <summary>The folder of libtorch.</summary>
    public string? LibraryFolder { get; init; }

    /// <summary>The libraries loaded by full path, in order.</summary>
    public IReadOnlyList<string> LoadedFiles { get; init; } = [];

    /// <summary>
    /// The files of libtorch and its bridge that this process has mapped: one of each, or it would crash.
    /// </summary>
    public IReadOnlyList<string> MappedFiles { get; init; } = [];

    /// <summary>The newest GLIBCXX version that libLibTorchSharp needs.</summary>
    public string? GlibcxxNeeded { get; init; }

    /// <summary>The newest one that the system's libstdc++ offers.</summary>
    public string? GlibcxxOffered { get; init; }

    /// <summary>The mended copy that is used instead of the original; absent where none is needed.</summary>
    public string? MendedCopy { get; init; }

    /// <summary>1 + 1 + 1, computed by libtorch.</summary>
    public double? SumOfThreeOnes { get; init; }

    /// <summary>What does not work, in the words of whoever refused it.</summary>
    public string? Error { get; init; }
}

/// <summary>
/// <c>dwe doctor</c>: what this machine offers, what was loaded, and the real reason when something was not.
/// </summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    };

    /// <summary>Writes the facts as a table, or as one JSON object.</summary>
    /// <param name="json">Whether to write JSON.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    /// <param name="libTorchFolder">As for <see cref="NativeLibraries.EnsureLoaded"/>.</param>
    /// <param name="output">Where to write.</param>
    /// <returns>0 when libtorch computes on the device asked for, else 1.</returns>
    public static int Run(bool json, string device, string? libTorchFolder, TextWriter output)
    {
        var facts = Examine(device, libTorchFolder);
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(facts, Json));
        }
        else
        {
            WriteTable(facts, output);
        }

        return facts.Error is null ? 0 : 1;
    }

    private static DoctorFacts Examine(string device, string? libTorchFolder)
    {
        var facts = new DoctorFacts
        {
            Dwe = VersionOf(typeof(DoctorCommand).Assembly),
            DotNet = RuntimeInformation.FrameworkDescription,
            OperatingSystem = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
            TorchSharp = VersionOf(typeof(torch).Assembly),
            OnnxRuntime = OnnxRuntimeVersion(),
            Processors = Environment.ProcessorCount,
            CpuFeatures = CpuFeatures.Present(),
        };
        try
        {
            facts = WithLibraries(facts, NativeLibraries.EnsureLoaded(libTorchFolder));
            return facts.Error is null ? WithDevice(WithTorch(facts), device) : facts;
        }
        catch (Exception problem) when (problem is UserErrorException or TypeInitializationException
            or NotSupportedException or ExternalException or DllNotFoundException)
        {
            return facts with { Error = problem.GetBaseException().Message };
        }
    }

    private static DoctorFacts WithLibraries(DoctorFacts facts, NativeReport report) => facts with
    {
        LibraryFolder = report.LibraryFolder,
        LoadedFiles = report.LoadedFiles,
        MappedFiles = [.. SystemLibrary.MappedFiles("libtorch"), .. SystemLibrary.MappedFiles("libLibTorchSharp")],
        GlibcxxNeeded = report.Bridge?.GlibcxxNeeded,
        GlibcxxOffered = report.Bridge?.GlibcxxOffered,
        MendedCopy = report.Bridge is { IsMended: true } bridge ? bridge.Path : null,
        Error = report.LoaderError,
    };

    private static DoctorFacts WithTorch(DoctorFacts facts)
    {
        using var ones = torch.ones(3, torch.float64);
        using var sum = ones.sum();
        return facts with
        {
            LibTorch = torch.__version__,
            TorchThreads = torch.get_num_threads(),
            CudaAvailable = torch.cuda.is_available(),
            CudaDevices = torch.cuda.is_available() ? torch.cuda.device_count() : 0,
            SumOfThreeOnes = sum.data<double>()[0],
            MappedFiles = [.. SystemLibrary.MappedFiles("libtorch"), .. SystemLibrary.MappedFiles("libLibTorchSharp")],
        };
    }

    private static DoctorFacts WithDevice(DoctorFacts facts, string device)
    {
        try
        {
            return facts with { Device = DeviceChoice.Resolve(device).ToString() };
        }
        catch (UserErrorException problem)
        {
            return facts with { Error = problem.Message };
        }
    }

    private static string OnnxRuntimeVersion()
    {
        try
        {
            return OrtEnv.Instance().GetVersionString();
        }
        catch (Exception problem) when (
            problem is TypeInitializationException or DllNotFoundException or OnnxRuntimeException)
        {
            return problem.GetBaseException().Message;
        }
    }

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? assembly.GetName().Version?.ToString() ?? "unknown";

    private static void WriteTable(DoctorFacts facts, TextWriter output)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("what", "found");
        foreach (var (what, found) in Rows(facts))
        {
            table.AddRow(new Text(what), new Text(found));
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Write(table);
        console.MarkupLine(facts.Error is null ? "[green]All works.[/]" : $"[red]{Markup.Escape(facts.Error)}[/]");
    }

    private static IEnumerable<(string What, string Found)> Rows(DoctorFacts facts) =>
    [
        ("dwe", facts.Dwe),
        (".NET", facts.DotNet),
        ("system", facts.OperatingSystem),
        ("TorchSharp", facts.TorchSharp),
        ("libtorch", facts.LibTorch ?? "not loaded"),
        ("ONNX Runtime", facts.OnnxRuntime),
        ("processors", facts.Processors.ToString(CultureInfo.InvariantCulture)),
        ("libtorch threads", facts.TorchThreads?.ToString(CultureInfo.InvariantCulture) ?? "unknown"),
        ("CPU features", string.Join(' ', facts.CpuFeatures)),
        ("device", facts.Device ?? "none"),
        ("CUDA devices", facts.CudaDevices?.ToString(CultureInfo.InvariantCulture) ?? "unknown"),
        ("libtorch folder", facts.LibraryFolder ?? "none"),
        ("loaded", Loaded(facts)),
        ("mended", Mending(facts)),
    ];

    private static string Loaded(DoctorFacts facts) => facts switch
    {
        { LoadedFiles: [_, ..] files } => string.Join('\n', files.Select(Path.GetFileName)),
        { Error: null } => "by TorchSharp itself",
        _ => "nothing",
    };

    private static string Mending(DoctorFacts facts) => facts switch
    {
        { MendedCopy: { } copy } =>
            $"{copy}\nlibLibTorchSharp needs {facts.GlibcxxNeeded}, "
            + $"this system's libstdc++ offers up to {facts.GlibcxxOffered}",
        { GlibcxxNeeded: { } needed } =>
            $"nothing: {needed} is needed, {facts.GlibcxxOffered ?? "an unknown version"} offered",
        _ => "nothing",
    };
}
