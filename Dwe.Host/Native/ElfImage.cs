using System.Buffers.Binary;
using System.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.Native;

/// <summary>A symbol version that a library needs from another library.</summary>
/// <param name="Library">The library that must offer the version, e.g. libstdc++.so.6.</param>
/// <param name="Name">E.g. GLIBCXX_3.4.32.</param>
/// <param name="Index">What the symbols of this version carry in .gnu.version.</param>
/// <param name="Flags">Bit 2 (weak): the loader goes on when the version is absent.</param>
/// <param name="FlagsOffset">Where the flags are in the file.</param>
internal readonly record struct NeededVersion(
    string Library, string Name, ushort Index, ushort Flags, int FlagsOffset);

/// <summary>One entry of the dynamic symbol table.</summary>
/// <param name="Name">The symbol's name.</param>
/// <param name="NameOffset">Where the name starts in .dynstr (st_name).</param>
/// <param name="NameFieldOffset">Where st_name is in the file.</param>
/// <param name="IsUndefined">Whether the symbol is to be found in another library.</param>
/// <param name="VersionIndex">Its entry of .gnu.version, without the hidden bit.</param>
/// <param name="VersionOffset">Where that entry is in the file.</param>
internal readonly record struct DynamicSymbol(
    string Name, uint NameOffset, int NameFieldOffset, bool IsUndefined, ushort VersionIndex, int VersionOffset);

/// <summary>
/// A 64-bit little-endian ELF library in memory. Every offset of the file is checked before it is followed; a file that
/// is
/// something else, cut short, or without a needed section raises <see cref="UserErrorException"/>.
/// </summary>
internal sealed class ElfImage
{
    private const int FileHeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const int VersionEntrySize = 16; // Elf64_Verneed and Elf64_Vernaux
    private const int VersionDefinitionSize = 20; // Elf64_Verdef
    private const int VersionIndexSize = 2;
    private const ushort HiddenBit = 0x8000;

    private enum SectionType : uint
    {
        StringTable = 3,
        DynamicSymbols = 11,
        VersionDefinitions = 0x6ffffffd,
        VersionNeeds = 0x6ffffffe,
        SymbolVersions = 0x6fffffff,
    }

    private readonly record struct Section(SectionType Type, int Offset, int Length, uint Link, uint Count);

    private readonly string path;
    private readonly byte[] bytes;
    private readonly Section[] sections;

    private ElfImage(string path, byte[] bytes)
    {
        this.path = path;
        this.bytes = bytes;
        RequireElf64LittleEndian();
        sections = ReadSections();
    }

    /// <summary>Reads the section headers. The bytes are shared, not copied.</summary>
    /// <param name="path">Named in errors only.</param>
    /// <param name="bytes">The whole file.</param>
    public static ElfImage Parse(string path, byte[] bytes) => new(path, bytes);

    /// <summary>The versions this library defines, from .gnu.version_d; empty when it defines none.</summary>
    public IReadOnlyList<string> DefinedVersions()
    {
        if (Find(SectionType.VersionDefinitions) is not { } section)
        {
            return [];
        }

        var names = Linked(section, ".gnu.version_d");
        return [.. Chain(section, 0, VersionDefinitionSize, nextField: 16, ".gnu.version_d")
            .Select(entry => Inside(section, (long)entry - section.Offset + UInt32(entry + 12), 8, ".gnu.version_d"))
            .Select(auxiliary => StringAt(names, UInt32(auxiliary)))];
    }

    /// <summary>The versions this library needs from others, from .gnu.version_r; empty when it needs none.</summary>
    public IReadOnlyList<NeededVersion> NeededVersions()
    {
        const string place = ".gnu.version_r";
        if (Find(SectionType.VersionNeeds) is not { } section)
        {
            return [];
        }

        var names = Linked(section, place);
        var needed = new List<NeededVersion>();
        foreach (var library in Chain(section, 0, VersionEntrySize, nextField: 12, place))
        {
            var first = (long)library - section.Offset + UInt32(library + 8);
            foreach (var version in Chain(section, first, VersionEntrySize, nextField: 12, place))
            {
                needed.Add(new NeededVersion(
                    StringAt(names, UInt32(library + 4)), StringAt(names, UInt32(version + 8)),
                    UInt16(version + 6), UInt16(version + 4), version + 4));
            }

            // Without a bound, overlapping chains of a forged file could be followed for hours.
            if (needed.Count > section.Length / VersionEntrySize)
            {
                throw Broken(place, "chains that overlap", "each entry once");
            }
        }

        return needed;
    }

    /// <summary>The dynamic symbols with their versions.</summary>
    public IEnumerable<DynamicSymbol> DynamicSymbols()
    {
        var symbols = Require(SectionType.DynamicSymbols, ".dynsym");
        var versions = Require(SectionType.SymbolVersions, ".gnu.version");
        var names = Linked(symbols, ".dynsym");
        var count = symbols.Length / SymbolSize;
        if (versions.Length / VersionIndexSize < count)
        {
            throw Broken(".gnu.version", $"{versions.Length / VersionIndexSize} entries", $"{count}, one per symbol");
        }

        for (var number = 0; number < count; number++)
        {
            var entry = symbols.Offset + (number * SymbolSize);
            var version = versions.Offset + (number * VersionIndexSize);
            var nameOffset = UInt32(entry);
            yield return new DynamicSymbol(
                StringAt(names, nameOffset), nameOffset, entry, UInt16(entry + 6) == 0,
                (ushort)(UInt16(version) & ~HiddenBit), version);
        }
    }

    private void RequireElf64LittleEndian()
    {
        if (bytes.Length < FileHeaderSize)
        {
            throw Broken("ELF header", $"{bytes.Length} bytes", $"at least {FileHeaderSize}");
        }

        if (!bytes.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
        {
            throw Broken("ELF header", Convert.ToHexString(bytes, 0, 4), "7F454C46, the mark of an ELF file");
        }

        if (bytes[4] != 2 || bytes[5] != 1)
        {
            throw Broken(
                "ELF header", $"class {bytes[4]}, byte order {bytes[5]}", "class 2 (64-bit), byte order 1 (little)");
        }
    }

    private Section[] ReadSections()
    {
        var start = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(40));
        var headerSize = UInt16(58);
        var count = UInt16(60);
        if (count == 0 || headerSize != SectionHeaderSize)
        {
            throw Broken(
                "section headers", $"{count} of {headerSize} bytes", $"at least 1 of {SectionHeaderSize} bytes");
        }

        RequireRange(start, (ulong)count * SectionHeaderSize, "section headers");
        return [.. Enumerable.Range(0, count)
            .Select(number => (int)start + (number * SectionHeaderSize))
            .Where(header => Enum.IsDefined((SectionType)UInt32(header + 4)))
            .Select(ReadSection)];
    }

    private Section ReadSection(int header)
    {
        var type = (SectionType)UInt32(header + 4);
        var offset = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(header + 24));
        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(header + 32));
        RequireRange(offset, length, $"section {type}");
        return new Section(type, (int)offset, (int)length, UInt32(header + 40), UInt32(header + 44));
    }

    private Section? Find(SectionType type)
    {
        foreach (var section in sections)
        {
            if (section.Type == type)
            {
                return section;
            }
        }

        return null;
    }

    private Section Require(SectionType type, string name) =>
        Find(type) ?? throw Broken(name, "no such section", "a shared library with dynamic symbols");

    /// <summary>The string table that a section's sh_link names by its number among all sections.</summary>
    private Section Linked(Section section, string place)
    {
        var start = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(40));
        if (section.Link >= UInt16(60))
        {
            throw Broken(place, $"string table {section.Link}", $"a section number below {UInt16(60)}");
        }

        var header = start + ((int)section.Link * SectionHeaderSize);
        if (UInt32(header + 4) != (uint)SectionType.StringTable)
        {
            throw Broken(place, $"section {section.Link} of type {UInt32(header + 4)}", "a string table (type 3)");
        }

        return ReadSection(header);
    }

    /// <summary>Entries linked by a relative offset that is 0 in the last; always forward, so always finite.</summary>
    private IEnumerable<int> Chain(Section section, long first, int entrySize, int nextField, string place)
    {
        if (section.Count == 0)
        {
            yield break;
        }

        var relative = first;
        while (true)
        {
            var entry = Inside(section, relative, entrySize, place);
            yield return entry;

            var step = UInt32(entry + nextField);
            if (step == 0)
            {
                yield break;
            }

            if (step < VersionEntrySize / 2)
            {
                throw Broken(place, $"a step of {step} bytes", "entries that do not overlap");
            }

            relative += step;
        }
    }

    private int Inside(Section section, long relative, int size, string place) =>
        relative >= 0 && relative + size <= section.Length
            ? section.Offset + (int)relative
            : throw Broken(place, $"an entry at {relative}", $"one inside the section of {section.Length} bytes");

    private string StringAt(Section table, uint offset)
    {
        if (offset >= table.Length)
        {
            throw Broken("string table", $"a name at {offset}", $"one inside the table of {table.Length} bytes");
        }

        var rest = bytes.AsSpan(table.Offset + (int)offset, table.Length - (int)offset);
        var end = rest.IndexOf((byte)0);
        return end >= 0
            ? Encoding.Latin1.GetString(rest[..end])
            : throw Broken("string table", "a name without an end", "names that end in a zero byte");
    }

    private void RequireRange(ulong offset, ulong length, string place)
    {
        var size = (ulong)bytes.Length;
        if (offset > size || length > size - offset)
        {
            throw Broken(place, $"{length} bytes at {offset}", $"a place within the file's {size} bytes");
        }
    }

    private ushort UInt16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    private uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private UserErrorException Broken(string place, string found, string expected) =>
        new(UserError.NewFileBroken(path, place, found, expected));
}
