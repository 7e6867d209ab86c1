using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Native;

/// <summary>Turns the option <c>--device</c> into a device. libtorch is loaded first: <see cref="NativeLibraries"/>.</summary>
internal static class DeviceChoice
{
    /// <summary>The device of <c>auto</c> (CUDA where there is one), <c>cpu</c> or <c>cuda</c>.</summary>
    /// <exception cref="UserErrorException">Another word, or CUDA where there is none.</exception>
    public static torch.Device Resolve(string requested) => Resolve(requested, torch.cuda.is_available);

    /// <inheritdoc cref="Resolve(string)"/>
    public static torch.Device Resolve(string requested, Func<bool> cudaIsAvailable) => requested switch
    {
        "auto" => new torch.Device(cudaIsAvailable() ? DeviceType.CUDA : DeviceType.CPU),
        "cpu" => new torch.Device(DeviceType.CPU),
        "cuda" when cudaIsAvailable() => new torch.Device(DeviceType.CUDA),
        "cuda" => throw new UserErrorException(UserError.NewUsageWrong(
            "--device cuda: this libtorch sees no CUDA device",
            $"Build with -p:LibTorch=cuda, or name the folder of a CUDA libtorch with {NativeLibraries.FolderVariable}; or use --device cpu.")),
        _ => throw new UserErrorException(UserError.NewValueInvalid("command line", "--device", requested, "auto, cpu or cuda")),
    };
}
