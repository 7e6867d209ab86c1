using System.Globalization;
using Dwe.Host.Commands;
using Dwe.Host.Native;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
NativeMemory.Tune();
return args switch
{
    ["doctor", .. var options] => DoctorCommand.Run(
        options.Contains("--json"), OptionValue(options, "--device") ?? "auto", OptionValue(options, "--libtorch"), Console.Out),
    _ => 2,
};

static string? OptionValue(string[] options, string name) =>
    Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? options[at + 1] : null;
