using System.Buffers.Binary;
using Dwe.Model.Domain;

namespace Dwe.Host.Native;

/// <summary>
/// Makes libLibTorchSharp.so loadable where libstdc++ is older than GCC 13.2. The library needs GLIBCXX_3.4.32 for one
/// symbol, the initialiser of the standard streams that GCC 13 moved from every object file into libstdc++. An older
/// libstdc++ initialises them from the object files of libtorch, which is loaded first, so the call may do nothing:
/// it is bound to libc's <c>rand</c>, a function without arguments whose name is already in the string table as the end
/// of <c>THSTensor_rand</c>.
/// </summary>
internal static class LibTorchSharpMend
{
    /// <summary>The version that the mended copy no longer insists on.</summary>
    public const string Version = "GLIBCXX_3.4.32";

    private const string Initialiser = "_ZSt21ios_base_library_initv";
    private const string Exported = "THSTensor_rand";
    private const string Harmless = "rand";
    private const ushort WeakFlag = 2;
    private const ushort Unversioned = 1;

    /// <summary>The mended bytes, or null where the library does not insist on the version.</summary>
    /// <param name="path">Named in errors only.</param>
    /// <param name="original">The library; left as it is.</param>
    /// <exception cref="UserErrorException">The file is no ELF library, or needs the version for another
    /// symbol.</exception>
    public static byte[]? Mend(string path, byte[] original)
    {
        var image = ElfImage.Parse(path, original);
        var insisting = image.NeededVersions()
            .Where(version => version.Name == Version && (version.Flags & WeakFlag) == 0)
            .ToList();
        if (insisting.Count == 0)
        {
            return null;
        }

        var symbols = image.DynamicSymbols().ToList();
        var mended = (byte[])original.Clone();
        foreach (var version in insisting)
        {
            WriteUInt16(mended, version.FlagsOffset, (ushort)(version.Flags | WeakFlag));
            foreach (var user in symbols.Where(symbol => symbol.IsUndefined && symbol.VersionIndex == version.Index))
            {
                BindToHarmless(path, mended, user, symbols);
            }
        }

        return mended;
    }

    private static void BindToHarmless(string path, byte[] mended, DynamicSymbol user, List<DynamicSymbol> symbols)
    {
        if (user.Name != Initialiser)
        {
            throw Broken(path, $"{user.Name} of {Version}", $"no other symbol of that version than {Initialiser}");
        }

        var donor = symbols.Find(symbol => symbol.Name == Exported);
        if (donor.Name != Exported)
        {
            throw Broken(path, $"no {Exported}", "that exported name, whose end is the name of a harmless function");
        }

        WriteUInt16(mended, user.VersionOffset, Unversioned);
        BinaryPrimitives.WriteUInt32LittleEndian(
            mended.AsSpan(user.NameFieldOffset), donor.NameOffset + (uint)(Exported.Length - Harmless.Length));
    }

    private static void WriteUInt16(byte[] bytes, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), value);

    private static UserErrorException Broken(string path, string found, string expected) =>
        new(UserError.NewFileBroken(path, ".dynsym", found, expected));
}
