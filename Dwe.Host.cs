using System.Globalization;
using Dwe.Host.Commands;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Weights;
using Dwe.Host.Native;
using Dwe.Model.Domain;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
NativeMemory.Tune();
return args switch
{
    ["doctor", .. var options] => DoctorCommand.Run(
        options.Contains("--json"), OptionValue(options, "--device") ?? "auto", OptionValue(options, "--libtorch"), Console.Out),
    ["features", .. var options] => Refusable(() => FeaturesCommand.Run(
        Spectre.Console.AnsiConsole.Console, options, () => UseTextEncoder.Open(WeightCache.OfThisMachine()))),
    _ => 2,
};

static string? OptionValue(string[] options, string name) =>
    Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? options[at + 1] : null;

static int Refusable(Func<int> command)
{
    try
    {
        return command();
    }
    catch (UserErrorException refusal)
    {
        Console.Error.WriteLine(refusal.Message);
        return 1;
    }
}
